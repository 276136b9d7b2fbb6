"""Files that a user doesn't want: patterns of `--exclude` and of `.octavoignore` files, written as in .gitignore.

A pattern becomes one regular expression that never goes back on a decision: what stands between two stars is taken where it
first stands. So matching takes time in proportion to the pattern and the path, whatever patterns a stranger's folder brings.
"""

import re
import stat
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ingest.errors import PathError
from ingest.store.paths import spelled

FILE = ".octavoignore"
_MOST = 20_000
"""Characters that all patterns in force in a folder may have together."""
_LARGEST = 1_000_000
"""Characters of an `.octavoignore`, comments and all."""
_CURE = "patterns are written as in .gitignore"


@dataclass(frozen=True, slots=True)
class _Rule:
    excludes: bool
    folders_only: bool
    path: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Rules:
    """Patterns of one origin, last one first, and the folder that their paths begin in."""

    folder: Path
    rules: tuple[_Rule, ...]
    name: str
    length: int


class Ignored:
    """The rules in force in a folder: those given, and those of each `.octavoignore` on the way down, the nearest first."""

    def __init__(self, root: Path, exclude: Sequence[str]) -> None:
        self._given = _rules(root, exclude, "--exclude")
        self._nearest: tuple[_Rules, ...] = ()

    def within(self, folder: Path) -> Self:
        """The rules in force in `folder`.

        Raises:
            PathError: its `.octavoignore` can't be read, or holds what is no pattern, or too many.
        """
        file = folder / FILE
        origin = spelled(str(file))
        try:
            if not stat.S_ISREG(file.stat().st_mode):
                return self
            with file.open(encoding="utf-8-sig") as opened:
                text = opened.read(_LARGEST)
        except FileNotFoundError:
            return self
        except (OSError, UnicodeDecodeError) as error:
            raise PathError(f"{origin}: can't be read ({error})", "it is a text file of patterns, as .gitignore is") from error
        if len(text) == _LARGEST:
            raise PathError(f"{origin}: {_LARGEST:,} characters or more", _CURE)
        inner = copy(self)
        inner._nearest = (_rules(folder, text.split("\n"), origin), *self._nearest)
        if sum(rules.length for rules in (inner._given, *inner._nearest)) > _MOST:
            raise PathError(f"{origin}: its patterns and those above it have more than {_MOST:,} characters", _CURE)
        return inner

    def by(self, path: Path, folder: bool) -> str:
        """What excludes a path, or "": --exclude has the first word, then the nearest file that speaks of the path, as in git."""
        for origin in (self._given, *self._nearest):
            relative = path.relative_to(origin.folder).as_posix()
            for rule in origin.rules:
                if (folder or not rule.folders_only) and rule.path.fullmatch(relative):
                    return origin.name if rule.excludes else ""
        return ""


def _rules(folder: Path, lines: Sequence[str], origin: str) -> _Rules:
    patterns = [pattern for line in lines if (pattern := _trimmed(line)) and not pattern.startswith("#")]
    length = sum(map(len, patterns))
    if length > _MOST:
        raise PathError(f"{origin}: its patterns have more than {_MOST:,} characters", _CURE)
    rules = []
    for pattern in reversed(patterns):
        try:
            rules.append(_rule(pattern))
        except ValueError as error:
            raise PathError(f"{origin}: {pattern[:80]!r} is no pattern: {error}", _CURE) from error
    return _Rules(folder, tuple(rules), origin, length)


def _trimmed(line: str) -> str:
    """A line without spaces at its end; the last one stays if a backslash keeps it."""
    line = line.removesuffix("\r")
    bare = line.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if backslashes % 2 and bare != line else bare


def _rule(pattern: str) -> _Rule:
    excludes = not pattern.startswith("!")
    path = pattern.removeprefix("!").removesuffix("/")
    names = path.removeprefix("/").split("/")
    if "/" not in path:
        names = ["**", *names]
    return _Rule(excludes, pattern.endswith("/"), re.compile(_path(names), re.DOTALL))


def _path(names: Sequence[str]) -> str:
    """The regular expression of a path whose names are patterns. `**` is any number of names, at the end one or more."""
    runs: list[list[str]] = [[]]
    for name in names:
        if len(name) > 1 and not name.strip("*"):
            runs.append([])
        else:
            runs[-1].append(_name(name))
    first, *rest = ["/".join(run) for run in runs]
    if not rest:
        return first
    *middle, last = rest
    found = "".join(f"(?>(?:[^/]++/)*?{run}/)" for run in middle if run)
    return (first and first + "/") + found + (f"(?:[^/]++/)*{last}" if last else ".+")


def _name(pattern: str) -> str:
    """The regular expression of one name: what stands between two stars is taken where it first stands, the rest at the end."""
    if not pattern:
        return "(?!)"  # as between two slashes: no name is empty
    first, *rest = _between_stars(pattern)
    if not rest:
        return first
    *middle, last = rest
    return f"(?>{first}" + "".join(f"(?>[^/]*?{part})" for part in middle if part) + rf"[^/]*{last}(?=/|\Z))"


_PART = re.compile(r"(?P<stars>\*+)|(?P<any>\?)|\[(?P<not>[!^]?)(?P<class>\]?(?:\[:\w+:\]|\\.|[^\]\\])*+)\]|\\?+(?P<char>.)", re.DOTALL)


def _between_stars(pattern: str) -> list[str]:
    """Regular expressions of what stands before, between and behind a name's stars, each a fixed number of characters long."""
    parts = [""]
    at = 0
    while at < len(pattern):
        found = _PART.match(pattern, at)
        if found is None or found[0] == "[":
            raise ValueError("a backslash at its end" if found is None else "a [ without its ]")
        at = found.end()
        if found["stars"]:
            parts.append("")
        elif found["any"]:
            parts[-1] += "[^/]"
        elif found["char"]:
            parts[-1] += re.escape(found["char"])
        else:
            inside = "".join(_members(found["class"]))
            parts[-1] += f"[^/{inside}]" if found["not"] else f"(?!/)[{inside}]" if inside else "(?!)"
    return parts


_MEMBER = re.compile(r"\[:(?P<name>\w+):\]|\\?+(?P<low>.)(?:-\\?+(?P<high>.))?", re.DOTALL)
_NAMED = {"alpha": "A-Za-z", "digit": "0-9", "alnum": "A-Za-z0-9", "lower": "a-z", "upper": "A-Z", "xdigit": "0-9A-Fa-f"}
_NAMED |= {"blank": r" \t", "space": r" \t-\r", "cntrl": r"\x00-\x1f\x7f", "graph": "!-~", "print": " -~", "punct": r"!-/:-@\[-`{-~"}


def _members(inside: str) -> Iterator[str]:
    """The characters of a class, ranges and POSIX names among them, for a regular expression's."""
    for member in _MEMBER.finditer(inside):
        low, high = member["low"], member["high"]
        if member["name"]:
            if member["name"] not in _NAMED:
                raise ValueError(f"there is no class {member['name']}")
            yield _NAMED[member["name"]]
        elif high is None:
            yield re.escape(low)
        elif low <= high:
            yield f"{re.escape(low)}-{re.escape(high)}"
