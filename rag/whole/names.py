"""Which documents a phrase names: "the annual report", "rules.html", "this contract", "all documents".

A phrase names a document by its file's name or title: all of its words must stand there, and among them all words of the name or a
noun for documents, so that "the trustees" are not trustees-minutes.docx.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

NOUNS = frozenset(
    """document file text paper report contract agreement minutes minute handbook manual log rule history article letter memo policy
    book chapter presentation deck slide spreadsheet sheet workbook table page faq guide guideline brochure leaflet essay study thesis
    invoice receipt statement transcript note review proposal plan specification spec notebook email mail story poem lease deed
    budget protocol newsletter catalogue website blog post act
    regulation standard pdf doc docx odt rtf txt html md epub ppt pptx eml msg csv tsv xls xlsx ods json xml ipynb""".split()
)
"""Words, without a plural's s, that a phrase for a document has as its noun."""
_FILLERS = frozenset(
    """the this that these those it them my our your their a an of in from for on and at to by all both each every entire whole
    complete full attached uploaded following above same current called named titled two three four five""".split()
)
_SUFFIXES = frozenset("pdf doc docx odt rtf txt html md epub ppt pptx eml msg csv tsv xls xlsx ods json xml ipynb".split())
_ALL = re.compile(
    r"(?:all|every|each|both|these|those|my|the|our|two|three|of|\s)*\b(?:documents|files|papers|pdfs|everything|them|library|"
    r"(?:document|file|paper|pdf)s?)\b",
    re.I,
)
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Its words in lower case, each without the s of a plural."""
    return [_singular(word) for word in _WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z\d])|['\u2019]s?\b", " ", text).casefold())]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") and word not in _FILLERS else word


def _ends(name: str, phrase: str) -> bool:
    """Whether a phrase is a file's name, or the last words of it with its suffix."""
    file = phrase.casefold().removeprefix("the ").removeprefix("file ")
    return re.search(rf"(?:\A|[\W_]){re.escape(file)}\Z", name.casefold()) is not None


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
        self._titles = {path: words(text.strip().partition("\n")[0]) for path, text in openings.items()}

    def find(self, phrase: str) -> tuple[str, ...] | None:
        """The documents that a phrase names: one; several, where it may be any of them; () where it is a document and nothing tells
        which; None where it is no document.
        """
        phrase = phrase.strip(" \n\"'\u201c\u201d\u2018\u2019«».,:;!?")
        if "." in phrase and (by_file := [path for path in self.paths if _ends(Path(path).name, phrase)]):
            return tuple(path for path in by_file if Path(path).name.casefold() == phrase.casefold()) or tuple(by_file)
        said = [word for word in words(phrase) if word not in _FILLERS]
        nouns = [word for word in said if word in NOUNS]
        pointing = re.match(r"(?:this|that|the|it)\b", phrase, re.I) is not None
        if said and (named := self._named(said, bool(nouns))):
            return tuple(named)
        if len(nouns) < len(said) or not (nouns or (re.fullmatch(r"this|it", phrase, re.I) and not self._last)):
            return None
        if len(self.paths) == 1:
            return tuple(self.paths)
        return (self._last,) if pointing and self._last else ()

    def all_of(self, phrase: str) -> tuple[str, ...]:
        """All documents, where a phrase means them: "these documents", "both files"."""
        return tuple(self.paths) if _ALL.fullmatch(phrase.strip(" .?!")) and re.search(r"s\b|\bthem|every|each|library", phrase) else ()

    def several(self, phrase: str) -> tuple[str, ...]:
        """The documents of "the contract and the handbook", where each part names one."""
        found = [self.find(part) or () for part in re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", phrase)]
        return tuple(path for (path,) in found) if len(found) > 1 and all(len(paths) == 1 for paths in found) else ()

    def _named(self, said: Sequence[str], has_noun: bool) -> list[str]:
        """Those whose file's name has all the words, else those whose title has them too; a noun for documents may be left out."""
        telling = [word for word in said if word not in NOUNS]
        for names in (self._stems, {path: [*self._stems[path], *title] for path, title in self._titles.items()}):
            for wanted in filter(None, (said, telling)):
                found = [path for path, name in names.items() if set(wanted) <= set(name) and (has_noun or self._is_whole(path, wanted))]
                if found:
                    exact = [path for path in found if set(self._stems[path]) - _SUFFIXES == set(said)]
                    return exact or found
        return []

    def _is_whole(self, path: str, said: Sequence[str]) -> bool:
        """Whether the words are all that a file's name or a title says, numbers and small words left out."""
        names = (
            {word for word in name if word.isalpha() and word not in _FILLERS | _SUFFIXES}
            for name in (self._stems[path], self._titles[path])
        )
        return any(name and name <= set(said) for name in names)
