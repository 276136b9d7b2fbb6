"""Files that a user doesn't want: patterns of `--exclude` and of `.octavoignore` files, written as in .gitignore."""

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

from ingest.errors import PathError

FILE = ".octavoignore"


@dataclass(frozen=True)
class _Rules:
    folder: Path
    spec: GitIgnoreSpec
    name: str


def _verdict(spec: GitIgnoreSpec, path: str) -> bool | None:
    """Whether the last pattern that means this very path excludes it; None if none does.

    pathspec's own answer lets a pattern that means a folder speak for all below it, so that `!*/` would take in what `*` leaves
    out; here the folders above a path were judged before it.
    """
    for pattern in reversed(list(spec.patterns)):
        if pattern.include is not None and pattern.regex and any(_is_whole(match) for match in pattern.regex.finditer(path)):
            return bool(pattern.include)
    return None


def _is_whole(match: re.Match[str]) -> bool:
    """Not a match of a folder above the path; pathspec's group `ps_d` is the slash that ends a folder."""
    return match.groupdict().get("ps_d") is None or match.start("ps_d") == len(match.string) - 1


class Ignored:
    """The rules in force in a folder: those given, and those of each `.octavoignore` on the way down, the nearest first."""

    def __init__(self, root: Path, exclude: Sequence[str]) -> None:
        self._given = _Rules(root, _spec(exclude, "--exclude"), "--exclude")
        self._nearest: tuple[_Rules, ...] = ()

    def within(self, folder: Path) -> Self:
        """The rules in force in `folder`.

        Raises:
            PathError: its `.octavoignore` can't be read.
        """
        file = folder / FILE
        if not file.is_file():
            return self
        try:
            spec = _spec(file.read_text(encoding="utf-8").splitlines(), str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise PathError(f"{file}: can't be read ({error})", "it is a text file of patterns, as .gitignore is") from error
        inner = copy(self)
        inner._nearest = (_Rules(folder, spec, str(file)), *self._nearest)
        return inner

    def by(self, path: Path, folder: bool) -> str:
        """What excludes a path, or "": --exclude has the first word, then the nearest file that speaks of the path, as in git."""
        for rules in (self._given, *self._nearest):
            relative = path.relative_to(rules.folder).as_posix() + ("/" if folder else "")
            excludes = _verdict(rules.spec, relative)
            if excludes is not None:
                return rules.name if excludes else ""
        return ""


def _spec(patterns: Sequence[str], origin: str) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(patterns)
    except (GitIgnorePatternError, ValueError) as error:
        raise PathError(f"{origin}: {error}", "patterns are written as in .gitignore") from error
