"""Which documents a question means by the names of their files: of many notes that say "phone: ..." one is called Cora Marsh.md.

A file's name isn't part of its text, so neither meaning nor words find by it; here its words count as if they stood in each passage.
"""

import re
from collections import Counter
from collections.abc import Iterable

from rag.coverage import content_words

_WORD = re.compile(r"[^\W_]+")
_FEW = 8
"""Documents that a question names, at the most."""


def name_words(path: str) -> str:
    """A file's name as words: "income 2022" of income_2022.md."""
    name = path.rpartition("/")[2]
    return " ".join(_WORD.findall(name.rpartition(".")[0] or name))


def named(question: str, paths: Iterable[str]) -> dict[str, float]:
    """Of the few documents whose files' names hold most of a question, the share of its content words that they hold, from 0 to 1,
    rare words of names weighing more; those that hold as much of it as another dozen are not named by it."""
    asked = {part for word in content_words(question) for part in re.split(r"[\W_]+", word) if len(part) > 1}
    held = {path: words for path in paths if (words := asked.intersection(name_words(path).casefold().split()))}
    frequency = Counter(word for words in held.values() for word in words)
    weight = {word: 1 / frequency[word] for word in frequency}
    total = len(asked)
    shares = {path: sum(weight[word] for word in words) / total for path, words in held.items()}
    best = max(shares.values(), default=0.0)
    first = {path: share for path, share in shares.items() if share > best / 2}
    return first if len(first) <= _FEW else {}
