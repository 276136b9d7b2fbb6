"""Whether a source says what an answer says: word for word (verbatim.py), in other words (paraphrase.py,
rewording.py), or in a table's row (tables.py).

No model judges. Claim and passage are taken apart (parse.py) into terms (words by their stems, names, numbers with their units,
dates) and what bears on them (not, may, if, most). A claim is supported where all its terms stand together in a passage (align.py) and
nothing parts them: figures.py, subjects.py, order.py, bearing.py. One that is freely reworded may have words that only stand for the
passage's (thesaurus.py, likeness.py), in any order.

Held against claims that were labelled before (tests/rag): of the 200 of claims.jsonl 96 are verified, all of them among the 109 supported,
and 48 of the 61 of these that aren't in the passage's own words. Of sentences reworded as a large model would, 38 in 100 are verified at
first sight (20 of 53, written blind; 20 of the 22 verified were supported), 60 in 100 of those that rewording.py was built on.
"""

from rag.verify.verifier import Finding as Finding
from rag.verify.verifier import Verifier as Verifier
