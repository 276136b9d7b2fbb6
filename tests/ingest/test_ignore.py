"""Patterns of `.octavoignore` and `--exclude`: as git has them, and never more than a moment's work, whoever wrote them."""

import os
import subprocess
from pathlib import Path

import pytest

from ingest import Library
from ingest.errors import PathError
from ingest.run.ignore import Ignored
from ingest.run.plan import make_plan

NAMES = """
a.txt b.txt ab.txt A.txt a-b.txt a]b.txt [a].txt !x.txt #y.txt café.txt d/a.txt d/e/a.txt d/e/f/b.txt d/d/a.txt d/a/a/b.txt e/a.txt
e/ab.txt f/-.txt f/^.txt d/a\\b.txt
""".split()
NAMES.extend(["sp .txt", "new\nline.txt"])
PATTERNS = r"""
*.txt a* *b*t ?.txt ??.txt a**b.txt ** * \!x.txt \#y.txt #y.txt *[*]* caf*.txt [ab].txt [!a].txt [^a].txt [a-c].txt [c-a].txt []a]*
[!]a]* a[]-]b.txt [\]a]* [a-]* [--0]* [\[]* [[:upper:]]* [[:alpha:][:punct:]].txt [![:lower:]]* f/[[:punct:]]* []-]* a[^]]b.txt
d/ /d d/a.txt /a.txt d/* d/*/ d/** **/a.txt d/**/a.txt **/e/** d/**/**/b.txt ***/a.txt /** d/*/a/* **/d/**/a/**/b.txt */* **/ /
// d//a.txt d/e/ e/[a]b.txt d\\ d/a\\b.txt nothing *e*/*
""".split()
PATTERNS.extend(["a.txt ", "sp\\ .txt", "sp\\ .txt  ", "\r", " ", "*.txt\r"])


def _left(plan_of: Path) -> list[str]:
    return sorted(job.file.relative_to(plan_of).as_posix() for job in make_plan([plan_of], {}).jobs)


def test_patterns_of_every_kind_mean_what_they_mean_to_git(tmp_path: Path) -> None:
    """Each alone, and before another that takes some of it back."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    command = ["git", "-C", tmp_path, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"]
    for pattern in PATTERNS:
        for text in (pattern, f"{pattern}\n!a*\n!d/\n"):
            (tmp_path / ".gitignore").write_text(text)
            listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
            (tmp_path / ".octavoignore").write_text(text)
            assert _left(tmp_path) == sorted(name for name in listed if name.endswith(".txt")), text


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 14 + "b", "a" * 64),
        ("*a" * 127 + "b", "a" * 255),
        ("?*" * 9000 + "b", "a" * 255),
        ("[a-z]*" * 3000 + "9", "a" * 255),
        ("**/" * 6000 + "b", "a/" * 2000 + "a"),
        ("**/a/" * 3900 + "b", "a/" * 2000 + "a"),
        ("**/*a*a*a*a*a*a*a*a*a*a*/**/b", ("a" * 250 + "/") * 15 + "c"),
        ("*" + "[!b]" * 200 + "b", "a" * 255),
        ("[" + "a-z" * 6000 + "]*9", "a" * 255),
        ("x" + " " * 19_000 + "x", "x"),
    ],
)
def test_no_pattern_takes_longer_than_it_is_long(pattern: str, path: str) -> None:
    """A test that hangs fails: some of these took hours."""
    assert not Ignored(Path("/root"), [pattern]).by(Path("/root") / path, folder=False)
    assert Ignored(Path("/root"), ["x", pattern]).by(Path("/root/y/x"), folder=False) == "--exclude"


@pytest.mark.parametrize(
    ("patterns", "why"),
    [
        (b"a[b\n", "'a[b' is no pattern: a [ without its ]"),
        (b"fine\n[[:digits:]]", "'[[:digits:]]' is no pattern: there is no class digits"),
        (b"a\\\n", "is no pattern: a backslash at its end"),
        (b"\xff\xfe*\n", "can't be read ("),
        (b"*a" * 10_001, "its patterns have more than 20,000 characters"),
        (b"#\n" * 500_000, "1,000,000 characters or more"),
    ],
)
def test_a_folder_whose_patterns_are_none_is_left_alone_and_the_run_goes_on(
    library: Library, folder: Path, patterns: bytes, why: str
) -> None:
    library.add([folder])
    (folder / "sub" / ".octavoignore").write_bytes(patterns)
    (folder / "sub" / "private.txt").write_text("Nobody should read this.")
    (folder / "eels.txt").write_text("Eels pass in May.")
    receipt = library.add([folder])
    assert receipt.counts["added"] == 1 and receipt.counts["removed"] == 0 and len(library.documents()) == 4
    (failed,) = [file for file in receipt.files if file.status == "failed"]
    assert failed.path == f"{folder}/sub" and failed.reason.startswith(f"the folder is not read: {folder}/sub/.octavoignore: ")
    assert why in failed.reason


def test_patterns_of_many_folders_one_in_the_other_are_bounded_together(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(4):
        folder = folder / "d"
        folder.mkdir()
        (folder / ".octavoignore").write_text("*a" * 3000)
        (folder / "kept.txt").write_text("text")
    plan = make_plan([tmp_path], {})
    assert len(plan.jobs) == 3
    assert "its patterns and those above it have more than 20,000 characters" in plan.settled[0].reason


def test_patterns_given_by_hand_are_told_at_once(library: Library, folder: Path) -> None:
    for pattern, why in (("[", "a [ without its ]"), ("*a" * 10_001, "20,000 characters")):
        with pytest.raises(PathError, match="--exclude: "):
            library.add([folder], exclude=[pattern])
        with pytest.raises(PathError) as raised:
            make_plan([folder], {}, [pattern])
        assert why in str(raised.value).replace("\\", "")


def test_a_question_mark_is_one_character_of_any_script(tmp_path: Path) -> None:
    (tmp_path / "café.txt").write_text("Coffee.")
    assert not make_plan([tmp_path], {}, ["caf?.txt"]).jobs


def test_what_is_called_octavoignore_and_is_no_file_says_nothing(library: Library, folder: Path) -> None:
    os.mkfifo(folder / ".octavoignore")
    (folder / "sub" / ".octavoignore").mkdir()
    assert library.add([folder]).counts["added"] == 3


def test_a_name_that_is_not_utf8_can_be_excluded(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    (folder / "a.txt").write_text("Coffee.")
    (folder / ".octavoignore").write_text("a.txt")
    (line,) = make_plan([tmp_path], {}).settled
    assert line.reason == f"excluded by {tmp_path}/caf\\xe9/.octavoignore"
