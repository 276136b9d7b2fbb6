"""Whether a source says what an answer says: word for word (verbatim.py), in other words (paraphrase.py), or in a table's row.

No model judges. A text is taken apart into terms (terms.py: words by their stems, names, numbers with their units, dates) and what
bears on them (not, may, if, most); a claim is supported where all its terms stand together in a passage and nothing parts them.
"""

from rag.verify.verbatim import Wording as Wording
from rag.verify.verifier import Finding as Finding
from rag.verify.verifier import Verifier as Verifier
