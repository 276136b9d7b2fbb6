"""Files as they are found in the world, good and broken: none stops anything, each gets a line."""

import pytest

from ingest import Library
from ingest.loaders import SUFFIXES, load
from ingest.loaders.parsed import LoadError
from ingest.run.worker import Request, Workers
from ingest.text.embedder import Embedder
from tests.conftest import ROOT

DOCS = ROOT.parent / "shared" / "docs"
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the collection of found files is not here")


@pytest.mark.slow
def test_broken_files_get_a_status_and_a_reason(library: Library) -> None:
    receipt = library.add([DOCS / "bad"])
    assert len(receipt.files) == len([path for path in (DOCS / "bad").iterdir() if path.name[0] != "."])
    for file in receipt.files:
        assert (file.status == "added") == (file.chunks > 0)
        assert "\n" not in file.reason
    assert 0 < receipt.counts["failed"] < len(receipt.files)
    assert library.verify().ok


def test_every_file_gives_text_or_a_reason_and_no_loader_raises_anything_else() -> None:
    """In this process, so that an error of another kind fails the test. Old Office files have their own test: they cost seconds."""
    skipped = {"pdf", "legacy"}
    paths = [path for path in sorted(DOCS.glob("*/*")) if SUFFIXES.get(path.suffix.lower(), "pdf") not in skipped]
    reasons = {}
    for path in paths:
        try:
            parsed = load(path)
            assert parsed.text.strip() or parsed.scanned
            assert all(title in parsed.text[start : start + len(title) + 9] for start, _, title in parsed.headings), path
        except LoadError as error:
            reasons[path.name] = str(error)
    assert len(paths) > 60
    assert {name: reason for name, reason in reasons.items() if (DOCS / "good" / name).exists()} == {
        "poi-test-data__document__TestTableColumns.docx": "no text in it"  # a table of blank cells
    }
    assert all("\n" not in reason and len(reason) < 200 for reason in reasons.values())


def test_good_files_give_text_or_say_that_they_have_none(embedder: Embedder) -> None:
    paths = [path for path in sorted((DOCS / "good").iterdir()) if path.suffix.lower() in SUFFIXES]
    with Workers(embedder.counter, 2) as workers:
        readings = workers.read(Request(path, 20) for path in paths)
        reasons = {paths[index].name: reading.reason for index, reading in readings}
    silent = {reason for reason in reasons.values() if reason and "install LibreOffice" not in reason}
    assert silent <= {"no text layer (scanned?)", "no text in it"}
    assert sum(not reason for reason in reasons.values()) >= 0.8 * len(paths)
