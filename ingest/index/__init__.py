"""The dense index: Chroma, derived from the store's vectors. In: vectors. Out: the nearest ones to a question's vector.

`build` writes a generation and publishes it; `read` opens published generations and never writes; `view` is one look at the
library, in which words, chunks and the generation are of one moment.
"""
