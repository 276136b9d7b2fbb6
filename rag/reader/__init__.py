"""An extractive reader: where in a passage a question's answer stands, and how likely it stands there at all.

It is called between retrieving and packing, on whatever was retrieved, and for any model that answers afterwards:

    reader = Reader.load()                                            # once, 0.2 s: the embedder and 6 MiB
    readings = reader.read(question, [e.chunk.text for e in found])   # one for each, in their order

A Reading's `answerable` is the probability that its passage answers: the largest is what a gate holds against its threshold (0.31
answers 95 % of SQuAD's questions). To rank, three tenths of its log-odds are added to the retriever's fused score (rag/read.py).
`passage[start:end]` is the span to light on the page. A chunk that begins inside a table is read with its header before it, and the
header's length taken from start and end.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.reader.model import Reader as Reader
    from rag.reader.model import Reading as Reading

__all__ = ["Reader", "Reading"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'rag.reader' has no attribute {name!r}")
    from rag.reader import model

    return getattr(model, name)
