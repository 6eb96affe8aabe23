"""Named datasets: found, fetched whole or not at all, checked, refused plainly."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aidc import datasets
from aidc.catalogue import read
from aidc.datasets import DataFile, Dataset
from aidc.errors import InputError, OutputError

BODY = b"t_s,x\n" + b"0,1\n" * 100_000
SHA = hashlib.sha256(BODY).hexdigest()


class Publisher(BaseHTTPRequestHandler):
    """`/whole` gives the file, `/short` closes half-way, anything else is 404; hits are counted."""

    hits = 0

    def do_GET(self) -> None:
        type(self).hits += 1
        if self.path not in ("/whole", "/short"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY if self.path == "/whole" else BODY[: len(BODY) // 2])

    def log_message(self, *_args) -> None:
        """Say nothing."""


@pytest.fixture
def publisher():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    Publisher.hits = 0
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("AIDC_DATA", raising=False)
    return tmp_path


def dataset(*files, kind="raw"):
    return Dataset("test-set", "Test", kind, "test_set", "CC0-1.0", "nobody", "https://example.org", files)


def test_fetch_writes_the_file_where_locate_finds_it(publisher) -> None:
    entry = dataset(DataFile("a.csv", f"{publisher}/whole", SHA))
    seen = []
    (path,) = datasets.fetch(entry, lambda name, done, total: seen.append((name, done, total)))
    assert path.read_bytes() == BODY
    assert datasets.locate(entry) == path
    assert seen[-1] == ("a.csv", len(BODY), len(BODY))
    assert [one.name for one in path.parent.iterdir()] == ["a.csv"]


def test_what_is_there_and_whole_is_not_fetched_again(publisher) -> None:
    entry = dataset(DataFile("a.csv", f"{publisher}/whole", SHA))
    (path,) = datasets.fetch(entry)
    datasets.fetch(entry)
    assert Publisher.hits == 1
    path.write_bytes(b"damaged")
    datasets.fetch(entry)
    assert path.read_bytes() == BODY


@pytest.mark.parametrize(
    ("address", "sha", "message"),
    [
        ("/whole", "0" * 64, "not the file that was expected"),
        ("/short", SHA, "cannot be fetched|not the file that was expected"),
        ("/absent", SHA, "cannot be fetched: Not Found"),
    ],
)
def test_a_bad_download_is_refused_and_keeps_what_was_there(publisher, address, sha, message) -> None:
    entry = dataset(DataFile("a.csv", publisher + address, sha))
    path = datasets.cache_folder() / "test_set" / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"older")
    with pytest.raises(InputError, match=message):
        datasets.fetch(entry)
    assert [(one.name, one.read_bytes()) for one in path.parent.iterdir()] == [("a.csv", b"older")]


def test_an_unreachable_publisher_is_refused(publisher) -> None:
    port = int(publisher.rsplit(":", 1)[1])
    entry = dataset(DataFile("a.csv", f"http://127.0.0.1:{1 if port != 1 else 2}/x", SHA))
    with pytest.raises(InputError, match="cannot be fetched"):
        datasets.fetch(entry)


def test_only_https_is_followed_outside_this_machine() -> None:
    for url in ("http://example.org/a.csv", "file:///etc/hostname", "ftp://example.org/a"):
        with pytest.raises(InputError, match="https"):
            datasets.fetch(dataset(DataFile("a.csv", url, SHA)))


def test_a_folder_that_cannot_be_written_is_an_output_error(publisher, places) -> None:
    (places / "blocked").write_text("a file where a folder should be")
    with pytest.raises(OutputError, match="cannot be written"):
        datasets.fetch(dataset(DataFile("a.csv", f"{publisher}/whole", SHA)), into=places / "blocked")


def test_aidc_data_comes_before_the_cache(places, monkeypatch) -> None:
    entry = dataset(DataFile("a.csv", "https://example.org/a.csv", SHA))
    for root in (places / "data", places / "cache" / "aidc" / "datasets"):
        (root / "test_set").mkdir(parents=True)
        (root / "test_set" / "a.csv").write_text(root.name)
    monkeypatch.setenv("AIDC_DATA", str(places / "data"))
    assert datasets.locate(entry).read_text() == "data"
    monkeypatch.delenv("AIDC_DATA")
    assert datasets.locate(entry).read_text() == "datasets"


def test_absent_data_are_refused_with_the_way_to_get_them(monkeypatch, places) -> None:
    with pytest.raises(InputError, match=r"aidc data get azure-llm-2023"):
        datasets.locate("azure-llm-2023")
    with pytest.raises(InputError, match=r"derived data and cannot be fetched.*AIDC_DATA"):
        datasets.locate("frontier-day")
    with pytest.raises(InputError, match=r"does not offer in this form.*frontier_day"):
        datasets.fetch("frontier-day")
    monkeypatch.setenv("AIDC_DATA", str(places / "absent"))
    with pytest.raises(InputError, match="AIDC_DATA: names no folder"):
        datasets.locate("azure-llm-2023")


def test_names_and_files_are_checked() -> None:
    with pytest.raises(InputError, match="Did you mean 'azure-llm-2023'"):
        datasets.find("azure-2023")
    with pytest.raises(InputError, match="has several files"):
        datasets.locate("servegen")
    with pytest.raises(InputError, match="no such file"):
        datasets.locate("servegen", "rate.csv")
    assert datasets.find("azure-llm-2023").file().path == "AzureLLMInferenceTrace_conv.csv"


@pytest.mark.parametrize("name", datasets.names())
def test_every_entry_is_complete_and_readable_as_a_catalogue_entry(name) -> None:
    entry = datasets.find(name)
    assert entry.files
    assert entry.kind in ("raw", "derived")
    assert entry.licence
    assert entry.citation
    assert entry.homepage.startswith("https://")
    assert entry.fetchable == (entry.kind == "raw")
    assert all(file.url.startswith("https://") for file in entry.files if file.url)
    assert read("dataset", name).title == entry.title


@pytest.mark.parametrize("name", datasets.names())
def test_local_copies_are_the_files_of_the_entry(name, aidc_data, monkeypatch) -> None:
    monkeypatch.setenv("AIDC_DATA", str(aidc_data))
    for file in datasets.find(name).files:
        path = datasets.locate(name, file.path)
        if file.sha256:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
