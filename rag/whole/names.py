"""Which documents a question names: "the annual report", "rules.html", "this contract", "the leases", "all documents".

A run of its words names a document where all of them stand in the file's name or title, and among them all words of the name or a noun
for documents, so that "the trustees" are not trustees-minutes.docx.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

NOUNS = frozenset(
    """document file text paper report contract agreement minutes minute handbook manual log rule history article letter memo policy
    book chapter presentation deck slide spreadsheet sheet workbook table page faq guide guideline brochure leaflet essay study thesis
    invoice receipt statement transcript note review proposal plan specification spec notebook email mail story poem lease deed
    budget protocol newsletter catalogue website blog post act meeting agm one
    regulation standard pdf doc docx odt rtf txt html md epub ppt pptx eml msg csv tsv xls xlsx ods json xml ipynb""".split()
)
"""Words, without a plural's s, that a phrase for a document has as its noun."""
FILLERS = frozenset(
    """the this that these those it them my our your their a an of in from for on and at to by all any both each every entire whole
    complete full attached uploaded following above same current called named titled two three four five set copy""".split()
)
_SUFFIXES = frozenset("pdf doc docx odt rtf txt html md epub ppt pptx eml msg csv tsv xls xlsx ods json xml ipynb".split())
_ANY_KIND = frozenset("document file text paper pdf doc".split())
"""Nouns that any document answers to."""
_SEVERAL = re.compile(r"\b(?:each|every|any|all|both|per)\b[\w\s]{0,24}\Z", re.I)
_QUANTIFIED = re.compile(r"\b(?:each|every|any|all|both|per)\b", re.I)
_JOINED = re.compile(r"\b(?:and|or|with|to|from|than|about)\b", re.I)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Named:
    """Documents that question[start:end] names: one; several, where it is a kind or may be any of them; none where it is a document
    and nothing tells which.

    Attributes:
        any_kind: whether it is no more than a word for documents.
    """

    start: int
    end: int
    paths: tuple[str, ...]
    any_kind: bool = False


def words(text: str) -> list[str]:
    """Its words in lower case, each without the s of a plural."""
    return [_singular(word) for word in _WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z\d])|['\u2019]s?\b", " ", text).casefold())]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") and word not in FILLERS else word


class Names:
    """The documents that a question may be about.

    Args:
        openings: how the text of each begins, by path.
        last: the document that the conversation was about last; "" where there is none.
    """

    def __init__(self, openings: Mapping[str, str], last: str = "") -> None:
        self.paths = list(openings)
        self._last = last
        self._stems = {path: words(Path(path).name) for path in openings}
        self._titles = {path: words(text.strip().partition("\n")[0].partition("|")[0]) for path, text in openings.items()}
        self._in_stem, self._in_either = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        for path in openings:
            for word in self._stems[path]:
                self._in_stem[word].add(path)
            for word in (*self._stems[path], *self._titles[path]):
                self._in_either[word].add(path)

    def within(self, question: str) -> list[Named]:
        """What of a question names documents, in its order: files' names first, then the longest runs of words."""
        found = [
            Named(at.start(), at.end(), (path,))
            for path in sorted(self.paths, key=len, reverse=True)
            for at in re.finditer(rf"(?<![\w-]){re.escape(Path(path).name)}(?!\w)", question, re.I)
        ]
        tokens = [token for token in _WORD.finditer(question) if len(token[0]) > 1 and words(token[0])[0] not in FILLERS]
        runs = sorted(combinations(range(len(tokens) + 1), 2), key=lambda run: run[0] - run[1])
        for rule in (self._by_name, self._by_noun):
            for first, last in runs:
                start, end = tokens[first].start(), tokens[last - 1].end()
                if all(end <= other.start or start >= other.end for other in found) and (named := rule(question, start, end)):
                    found.append(named)
        known = [named for named in found if named.paths]
        return sorted(known or found, key=lambda named: named.start)

    def _by_name(self, question: str, start: int, end: int) -> Named | None:
        """By words of its name, behind which a noun may stand that no name has: "the gates agreement" for sea-gates-contract.pdf."""
        phrase = question[start:end]
        said = [word for word in words(phrase) if word not in FILLERS]
        if set(said) <= _ANY_KIND or _QUANTIFIED.search(phrase):
            return None
        paths = self._holding(said, not NOUNS.isdisjoint(said)) or self._joined(phrase)
        if not paths and len(said) > 1 and said[-1] in NOUNS and NOUNS.isdisjoint(said[:-1]) and not _JOINED.search(phrase):
            paths = self._holding(said[:-1], True)
        return Named(start, end, tuple(paths)) if paths else None

    def _by_noun(self, question: str, start: int, end: int) -> Named | None:
        """ "This document", "the contract", "all files": no more than a noun."""
        said, before = words(question[start:end]), question[:start]
        if len(said) != 1 or said[0] not in NOUNS - {"one"}:
            return None
        if said[0] in _ANY_KIND and (question[start:end].casefold().endswith("s") or _SEVERAL.search(before)):
            return Named(start, end, tuple(self.paths), any_kind=True)
        if len(self.paths) == 1:
            return Named(start, end, tuple(self.paths))
        points = re.search(r"\b(?:this|that|the)\s+\Z", before, re.I)
        return Named(start, end, (self._last,) if points and self._last else ())

    def _holding(self, said: Sequence[str], has_noun: bool) -> list[str]:
        """Those whose file's name has all the words, else those whose title has them too."""
        for index in (self._in_stem, self._in_either):
            among = set[str].intersection(*(index.get(word, set()) for word in said))
            found = [path for path in self.paths if path in among and (has_noun or self._is_whole(path, said))]
            if found:
                return [path for path in found if set(self._stems[path]) - _SUFFIXES == set(said)] or found
        return []

    def _joined(self, phrase: str) -> list[str]:
        """Both documents of "the 2022 and the 2023 heron reports", which share their last words."""
        first, joined, second = phrase.partition(" and ")
        one, other = ([word for word in words(part) if word not in FILLERS] for part in (first, second))
        if not joined or not one or len(other) < 2 or not NOUNS.intersection(other):
            return []
        both = [self._holding(said, True) for said in ([*one, *other[len(one) :]], other)]
        return [path for paths in both for path in paths] if all(len(paths) == 1 for paths in both) and both[0] != both[1] else []

    def _is_whole(self, path: str, said: Sequence[str]) -> bool:
        """Whether the words are all that a file's name or a title says, numbers and small words left out."""
        names = (
            {word for word in name if word.isalpha() and word not in FILLERS | _SUFFIXES}
            for name in (self._stems[path], self._titles[path])
        )
        return any(name and name <= set(said) for name in names)
