"""Writes COMTRADE records for the tests, from the layout alone (no reader's code is used)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

FORMS = ("ASCII", "BINARY", "BINARY32", "FLOAT32")
_PACK = {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}
_FULL = {"ASCII": 90_000, "BINARY": 32_000, "BINARY32": 2_000_000_000, "FLOAT32": 1.0}


@dataclass(frozen=True)
class Written:
    name: str
    phase: str
    unit: str
    values: np.ndarray
    ratio: tuple[float, float, str] = (1.0, 1.0, "P")


@dataclass(frozen=True)
class Record:
    channels: Sequence[Written]
    rate: float = 4800.0
    revision: str = "2013"
    form: str = "ASCII"
    frequency: float = 60.0
    status: int = 3
    stamps_only: bool = False

    def gains(self) -> list[float]:
        peak = [max(float(np.abs(c.values).max()), 1e-9) for c in self.channels]
        return [1.0 if self.form == "FLOAT32" else p / _FULL[self.form] for p in peak]

    def raw(self) -> np.ndarray:
        scaled = np.stack([c.values / g for c, g in zip(self.channels, self.gains(), strict=True)])
        return scaled if self.form == "FLOAT32" else np.round(scaled)

    def cfg(self) -> str:
        count = len(self.channels)
        size = self.channels[0].values.size
        lines = [f"Station,Recorder,{self.revision}" if self.revision != "1991" else "Station,Recorder"]
        lines.append(f"{count + self.status},{count}A,{self.status}D")
        for n, (c, gain) in enumerate(zip(self.channels, self.gains(), strict=True), start=1):
            limit = "-32767,32767"
            line = f"{n},{c.name},{c.phase},,{c.unit},{gain!r},0,0,{limit}"
            lines.append(
                line if self.revision == "1991" else f"{line},{c.ratio[0]},{c.ratio[1]},{c.ratio[2]}"
            )
        lines += [f"{n},D{n},,,0" for n in range(1, self.status + 1)]
        lines.append(f"{self.frequency:g}")
        lines += ["0", f"0,{size}"] if self.stamps_only else ["1", f"{self.rate!r},{size}"]
        lines += ["01/02/2026,10:00:00.000000", "01/02/2026,10:00:00.100000", self.form]
        if self.revision != "1991":
            lines.append("1")
        if self.revision == "2013":
            lines += ["0,0", "0,0"]
        return "\r\n".join(lines) + "\r\n"

    def dat(self) -> bytes:
        raw = self.raw()
        rows: list[bytes] = []
        for k in range(raw.shape[1]):
            stamp = round(k / self.rate * 1e6)
            if self.form == "ASCII":
                bits = ",".join("1" for _ in range(self.status))
                cells = ",".join(f"{int(v)}" for v in raw[:, k])
                rows.append(f"{k + 1},{stamp},{cells}{',' if bits else ''}{bits}\r\n".encode())
            else:
                numbers = [float(v) if self.form == "FLOAT32" else int(v) for v in raw[:, k]]
                words = [7] * -(-self.status // 16)
                layout = f"<II{len(numbers)}{_PACK[self.form]}{len(words)}H"
                rows.append(struct.pack(layout, k + 1, stamp, *numbers, *words))
        return b"".join(rows)

    def write(self, folder: Path, name: str = "event") -> Path:
        path = folder / f"{name}.cfg"
        path.write_bytes(self.cfg().encode())
        path.with_suffix(".dat").write_bytes(self.dat())
        return path

    def write_cff(self, folder: Path) -> Path:
        path = folder / "event.cff"
        dat = self.dat()
        head = (
            "--- file type: DAT ASCII ---"
            if self.form == "ASCII"
            else f"--- file type: DAT {self.form}: {len(dat)} ---"
        )
        path.write_bytes(
            f"--- file type: CFG ---\r\n{self.cfg()}--- file type: INF ---\r\n\r\n{head}\r\n".encode() + dat
        )
        return path

    def but(self, **changes) -> Record:
        return replace(self, **changes)


def three_phase(
    rms_v: Sequence[complex],
    rms_a: Sequence[complex],
    seconds: float = 0.2,
    rate: float = 4800.0,
    hertz: float = 60.0,
) -> np.ndarray:
    """Six rows of instantaneous values of given RMS phasors: va, vb, vc, ia, ib, ic."""
    turn = np.exp(2j * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.stack([(np.sqrt(2) * phasor * turn).real for phasor in (*rms_v, *rms_a)])


def record_of(rows: np.ndarray, **keys) -> Record:
    names = ("VA", "VB", "VC", "IA", "IB", "IC")
    channels = [
        Written(name, name[1], "V" if name[0] == "V" else "A", row)
        for name, row in zip(names, rows, strict=True)
    ]
    return Record(channels, **keys)
