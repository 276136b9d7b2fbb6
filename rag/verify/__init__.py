"""Whether a source says what an answer says: word for word (verbatim.py), in other words (paraphrase.py, rewording.py), or in a table's row.

No model judges. Claim and passage are taken apart (parse.py) into terms (words by their stems, names, numbers with their units,
dates) and what bears on them (not, may, if, most). A claim is supported where all its terms stand together in a passage (align.py) and
nothing parts them: figures.py, subjects.py, order.py, bearing.py. One that is freely reworded may have words that only stand for the
passage's (thesaurus.py, likeness.py), in any order.

Held against claims that were written before (tests/rag): of claims.jsonl 96 are verified, all of them supported, of 109 that are; 44 of 57
of those not in the passage's own words. rewordings.jsonl was written for rewording.py, half of it blind.
"""

from rag.verify.verifier import Finding as Finding
from rag.verify.verifier import Verifier as Verifier
