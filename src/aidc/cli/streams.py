"""Standard output and error that outlive their readers, and signals that end a command in words.

A command computes its exit code, and then prints. A reader that has gone (`aidc check … | head -1`) must not change
that code, and a full disk behind `>` must be told and not end in a traceback.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Generator
from types import FrameType
from typing import Any, TextIO

__all__ = ["EndedError", "Stream", "ending_signals", "standard_streams"]


class EndedError(KeyboardInterrupt):
    """A signal asked this process to end; raised where it stands, so that everything is cleaned up."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


class Stream:
    """A text stream whose failures are kept instead of raised.

    Attributes
    ----------
    error
        What went wrong while writing, but for a reader that has gone.
    """

    def __init__(self, inner: TextIO) -> None:
        self._inner = inner
        self._gone = False
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        self._try("write", text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        self.write("".join(lines))

    def flush(self) -> None:
        self._try("flush")

    def _try(self, name: str, *arguments: Any) -> None:
        if self._gone:
            return
        try:
            getattr(self._inner, name)(*arguments)
        except BrokenPipeError:
            self._let_go()
        except OSError as error:
            self.error = error
            self._let_go()
        except ValueError:  # closed under us
            self._gone = True

    def _let_go(self) -> None:
        """What is still buffered goes nowhere, so that leaving does not fail again."""
        self._gone = True
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._inner.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@contextlib.contextmanager
def standard_streams() -> Generator[tuple[Stream, Stream]]:
    """Put `Stream`s in the places of standard output and error, which may be closed or speak ASCII alone."""
    before = sys.stdout, sys.stderr
    streams = _lenient(before[0]), _lenient(before[1])
    sys.stdout, sys.stderr = streams  # type: ignore[assignment]
    try:
        yield streams
    finally:
        for stream in streams:
            stream.flush()
        sys.stdout, sys.stderr = before


def _lenient(stream: TextIO | None) -> Stream:
    if stream is None:  # closed by the shell (`>&-`)
        return Stream(open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123  lives as long as the process
    change = getattr(stream, "reconfigure", None)
    if callable(change):
        with contextlib.suppress(ValueError, OSError):
            change(errors="replace")  # a dash that a terminal lacks becomes a question mark
    return Stream(stream)


@contextlib.contextmanager
def ending_signals() -> Generator[None]:
    """Raise `EndedError` on SIGTERM and SIGHUP, unless somebody else (nohup) has set what they do."""

    def end(number: int, _: FrameType | None) -> None:
        raise EndedError(number)

    taken: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, end)
                taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
