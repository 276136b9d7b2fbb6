"""docs/formats.md names the formats that are read, all of them and no other."""

import re

from ingest.loaders import SUFFIXES
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
SUFFIX = re.compile(r"(?<=[\s`])\.[a-z]\w*(?=[\s`,.:;)]|$)", re.MULTILINE)


def test_every_suffix_that_is_read_stands_under_a_format_and_none_that_is_not() -> None:
    listed = [suffix for line in PAGE.splitlines() if line.startswith(("## ", ".")) for suffix in SUFFIX.findall(f" {line}")]
    assert sorted(listed) == sorted(SUFFIXES)


def test_no_suffix_that_the_page_speaks_of_is_unknown() -> None:
    assert set(SUFFIX.findall(PAGE)) <= set(SUFFIXES)


def test_the_readme_leads_to_it() -> None:
    assert "docs/formats.md" in (ROOT / "README.md").read_text(encoding="utf-8")
