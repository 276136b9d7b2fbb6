"""Whether a source says what an answer says: word for word (verbatim.py), in other words (paraphrase.py), or in a table's row.

No model judges. Claim and passage are taken apart (parse.py) into terms (words by their stems, names, numbers with their units,
dates) and what bears on them (not, may, if, most). A claim is supported where all its terms stand together in a passage (align.py) and
nothing parts them: figures.py, subjects.py, order.py, bearing.py.
"""

from rag.verify.verifier import Finding as Finding
from rag.verify.verifier import Verifier as Verifier
