"""What reading may take of a machine, and what becomes of files that take more."""

import os
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

from ingest import Embedder, Library
from ingest.run import child, limits, pipeline
from ingest.run.worker import Request, Workers

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
GB = 1 << 30


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up tree of cgroups, in which this process is in a/b."""
    monkeypatch.setattr(limits, "_OWN", tmp_path / "own")
    monkeypatch.setattr(limits, "_GROUPS", tmp_path / "groups")
    (tmp_path / "own").write_text("0::/a/b\n")
    (tmp_path / "groups" / "a" / "b").mkdir(parents=True)
    return tmp_path / "groups"


def _say(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text + "\n")


def test_memory_is_what_the_narrowest_group_has_shared_with_one_process_more(groups: Path) -> None:
    assert limits.memory_each(2) == min(4 * GB, MACHINE // 3)
    _say(groups / "memory.max", "max")
    _say(groups / "a" / "memory.max", str(3 * GB))
    _say(groups / "a" / "b" / "memory.max", str(5 * GB))
    assert limits.memory_each(2) == GB and limits.memory_each(1) == 3 * GB // 2
    _say(groups / "a" / "b" / "memory.max", str(2 * GB))
    assert limits.memory_each(1) == GB


def test_groups_of_the_first_version_are_read_too_and_those_that_a_container_does_not_see(groups: Path, tmp_path: Path) -> None:
    (tmp_path / "own").write_text("4:memory:/docker/0123\n3:cpu,cpuacct:/docker/0123\n0::/\n")
    _say(groups / "memory" / "memory.limit_in_bytes", str(2 * GB))
    assert limits.memory_each(1) == GB
    _say(groups / "memory" / "memory.limit_in_bytes", "9223372036854771712")  # no limit, in its words
    assert limits.memory_each(1) == min(4 * GB, MACHINE // 2)


def test_there_are_as_many_workers_as_processors_that_are_ours_and_have_memory(groups: Path) -> None:
    mine = os.sched_getaffinity(0)
    assert limits.worker_count() == max(1, min(len(mine), MACHINE // GB - 1))
    _say(groups / "a" / "cpu.max", "max 100000")
    os.sched_setaffinity(0, {min(mine)})
    try:
        assert limits.worker_count() == 1
    finally:
        os.sched_setaffinity(0, mine)
    _say(groups / "a" / "b" / "cpu.max", "50000 100000")
    assert limits.worker_count() == 1
    (groups / "a" / "b" / "cpu.max").unlink()
    _say(groups / "a" / "b" / "memory.max", str(GB // 2))
    assert limits.worker_count() == 1


def test_a_file_that_takes_more_memory_than_there_is_fails_and_the_next_is_read(
    tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_MOST", 230 << 20)
    (tmp_path / "large.html").write_text("<p>a</p>" * 1_000_000)
    (tmp_path / "small.txt").write_text("A rope.")
    with Workers(embedder.counter, 1) as workers:
        large, small = (reading for _, reading in workers.read(Request(tmp_path / name, 60) for name in ("large.html", "small.txt")))
    assert large.reason == "reading it takes more than 0.22 GB of memory" and large.final
    assert small.parsed and small.parsed.text == "A rope."


SPINS = """
import hashlib, os, sys, threading, types
from ingest.loaders.parsed import Parsed

os.nice = lambda _: 0  # the machine may be busy, and what had no processor isn't blamed

def spin():
    while True:
        hashlib.sha256(bytes(1 << 20))

def load(path, ocr=False, password=None):
    text = path.read_text()
    if "endless" in text or ocr:
        for _ in range(8):
            threading.Thread(target=spin).start()
        spin()
    return Parsed(text, scanned=[2] * text.startswith("%PDF"))

parser = types.ModuleType("parser")
parser.load = load
sys.modules["ingest.loaders.web.html"] = sys.modules["ingest.loaders.pdf.document"] = parser
"""
"""A parser that never ends on some files, and on pictures, put in the place of others as a worker starts."""


@pytest.fixture
def spins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(SPINS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_a_file_that_takes_too_long_is_read_again_once_it_may_take_longer_or_has_changed(
    library: Library, folder: Path, spins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    bees = folder / "sub" / "bees.html"

    def is_read() -> bool:
        (line,) = [file for file in library.add([folder]).files if file.path == str(bees)]
        assert line.status == "failed" and line.reason.startswith("reading it took more than"), line
        return line.seconds > 0

    def is_read_until_given_up() -> bool:
        """A machine that is busy gives it less than its time, and then it is tried again."""
        reads = list(takewhile(bool, (is_read() for _ in range(20))))
        assert len(reads) < 20, "it is read at every run"
        return bool(reads)

    monkeypatch.setenv("OCTAVO_PARSE_TIMEOUT", "0.5")
    bees.write_text("endless honey")
    assert is_read_until_given_up() and not is_read()
    os.utime(bees, (1, 1))
    assert not is_read() and not is_read()
    bees.write_text("endless honey, and wax")
    assert is_read_until_given_up() and not is_read()
    monkeypatch.setenv("OCTAVO_PARSE_TIMEOUT", "0.6")
    assert is_read_until_given_up() and not is_read()
    bees.write_text("Honey at last.")
    monkeypatch.setenv("OCTAVO_PARSE_TIMEOUT", "60")
    assert library.add([folder]).ok and library.words("honey", 1)


def test_a_scan_that_takes_too_long_keeps_its_typed_pages_and_is_not_read_at_every_run(
    library: Library, tmp_path: Path, spins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rapidocr", reason="needs the extra ocr")
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "scan.pdf").write_text("%PDF-1.7 Typed by hand.")
    monkeypatch.setattr(pipeline, "_PER_BYTE", 0)
    monkeypatch.setattr(pipeline, "_PER_SCAN", -59.5)  # so that its pictures may take half a second, and the rest a minute
    lines = [library.add([scans]).files[0] for _ in range(5)]
    assert all(line.status == "failed" and "reading it took more than 0.5 s" in line.reason for line in lines)
    assert lines[0].seconds > 0 and lines[-1].seconds == 0
    assert library.words("typed", 1) and library.status()["waiting_for_ocr"] == 1


def test_a_worker_that_somebody_ends_is_not_held_against_the_file(library: Library, folder: Path, tmp_path: Path) -> None:
    """As the kernel does that runs out of memory: the next run tries again."""
    (file,) = (folder / "sub").iterdir()
    code = "import os, signal, sys, types\nparser = types.ModuleType('ingest.loaders.web.html')\n"
    code += "parser.load = lambda path: os.kill(os.getpid(), signal.SIGKILL)\nsys.modules['ingest.loaders.web.html'] = parser"
    for signal_name, remembered in (("SIGKILL", False), ("SIGSEGV", True)):
        (tmp_path / "sitecustomize.py").write_text(code.replace("SIGKILL", signal_name))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(tmp_path))
            (line,) = library.add([file]).files
        assert line.reason == f"reading it ended the worker process ({signal_name})"
        (line,) = library.add([folder / "sub"]).files
        assert (line.status == "failed") == remembered
        library.remove(folder / "sub")


def test_a_worker_starts_with_or_without_a_network(tmp_path: Path) -> None:
    """Where the kernel takes no filter, nothing is said, and files are read all the same."""
    code = "from ingest.run import child; child._SYSCALLS = {}; child.leave_network(); import socket; socket.socket().close()"
    subprocess.run([sys.executable, "-c", code], cwd=Path(child.__file__).parents[2], check=True)
