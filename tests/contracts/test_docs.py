"""The pages under docs/ name what is there."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted((ROOT / "docs").glob("*.md"))
NAME = re.compile(r"(?<![\w/.-])((?:\w+/)*\w+\.py|(?:app|rag|ingest|model)/(?:\w+/)*)(?!\w)")
PLACES = [ROOT, ROOT / "ingest", ROOT / "ingest" / "loaders", ROOT / "model", ROOT / "rag"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_modules_and_folders_that_a_page_names_are_there(page: Path) -> None:
    for name in NAME.findall(page.read_text(encoding="utf-8")):
        assert any((place / name).exists() for place in PLACES), name
