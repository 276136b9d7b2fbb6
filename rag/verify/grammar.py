"""The small words of English, by what they do to the words near them."""

from collections import Counter
from collections.abc import Iterable

from rag.verify.lexicon import keys
from rag.verify.words import PLACES


def _by_first(groups: str) -> dict[str, str]:
    """Each word to the first of its group; groups are parted by |."""
    return {word: group.split()[0] for group in groups.split("|") for word in group.split()}


ARTICLES = frozenset("the a an".split())
BE = frozenset("is are was were be been being am get gets got".split())
AUXILIARIES = BE | frozenset("has have had do does did".split())
SUBJECTS = frozenset("it he she they we you i there".split())
POSSESSIVES = frozenset("its their theirs his her hers our your my whose".split())
RELATIVES = frozenset("which who whom whose".split())
PRONOUNS = SUBJECTS | POSSESSIVES | RELATIVES | frozenset("them him us this these that those one both".split())
DETERMINERS = ARTICLES | POSSESSIVES

CONTRASTS = frozenset("unlike besides despite instead without except like contrary".split())
"""What they bring in isn't what the sentence speaks of."""
PREPOSITIONS = _by_first(
    """by|from|to into towards toward onto|than|before|after following|since|until till|over above|under below beneath|against versus
    |between|behind|beyond|despite|outside|inside|of|as|about
    |in on at during within through throughout across for with along around near upon"""
)
"""Each to the one that may stand for it."""
LOOSE = frozenset(("in", "of", "as", "about", ""))
"""Prepositions that say little: one of them may stand for another. All others say from where, until when, against whom."""
WEIGHTY = frozenset("against without before after over under above below".split())
"""Those that change what the verb before them says."""

SILENT = ARTICLES | AUXILIARIES | frozenset(PREPOSITIONS) | frozenset(
    """and or also too so then there here having such very just own well both either going any anyone anybody anything where how what why
    let s t re ve d ll etc via whether though although because since owing due while whilst whereas when yet however therefore thus hence
    moreover furthermore additionally respectively namely accordingly please yes each every per up out off down away back but if""".split()
)  # fmt: skip
"""Words that say nothing that must be found."""

OPERATORS = {
    word: name
    for name, words in {
        "not": """not no never none nobody nothing nowhere neither nor without cannot non hardly scarcely rarely seldom except excluding""",
        "possible": "possible may might could can possibly perhaps maybe allowed permitted",
        "probable": """probable probably likely presumably apparently seem seems seemed appear appears appeared unlikely allegedly
            supposedly reportedly""",
        "would": "would",
        "must": "must should ought",
        "if": "if unless provided providing otherwise",
        "until": "until till",
        "some": "some several certain various partly partially sometimes occasionally",
        "most": "most mostly majority usually generally normally typically largely mainly often chiefly primarily",
        "few": "few",
        "all": """all every everything everyone everybody always entire entirely whole completely fully each""",
        "only": "only solely exclusively merely",
        "nearly": "nearly almost practically virtually",
        "will": "will shall",
        "least": "least",
    }.items()
    for word in words.split()
}
"""Words that change what others say: each to what it does."""
FORBIDDEN = frozenset("forbidden prohibited banned".split())
"""Each says "not" and "allowed" in one."""
PHRASES: dict[tuple[str, ...], str] = {
    ("not", "have", "to"): "unneeded",
    ("not", "need", "to"): "unneeded",
    ("not", "required", "to"): "unneeded",
    ("need", "not"): "unneeded",
    ("allowed", "to"): "possible",
    ("permitted", "to"): "possible",
    ("no", "longer"): "not",
    ("no", "one"): "not",
    ("no", "cost"): "",
    ("no", "charge"): "",
    ("not", "only"): "",
    ("not", "just"): "",
    ("not", "merely"): "",
}
PHRASES |= {(word, "to"): "must" for word in "has have had is are was were need needs required obliged supposed".split()}
"""Operators of several words; "" for what only looks like one."""

_MODIFIERS = {
    "<=": """no more than|not more than|no later than|not later than|at most|at the most|up to|as many as|as much as|never exceeds
        |never exceed|not exceed|not exceeding|must not exceed|may not exceed|does not exceed|cannot exceed|a maximum of|maximum of
        |no longer than|not longer than|≤""",
    ">=": """no less than|not less than|no fewer than|not fewer than|at least|a minimum of|minimum of|on or after|no earlier than
        |not earlier than|≥""",
    ">": "more than|over|above|exceeding|greater than|larger than|higher than|in excess of|upwards of|older than|longer than|>",
    "<": "less than|fewer than|under|below|lower than|smaller than|younger than|shorter than|<",
    "~<": "nearly|almost|just under|not quite",
    "~": "about|around|roughly|approximately|approx|circa|ca|c|some|~|≈|±|an estimated|estimated",
}
MODIFIERS = {tuple(phrase.split()): sign for sign, phrases in _MODIFIERS.items() for phrase in phrases.split("|")}
"""What stands before a number and says that it is a bound or a guess."""
MODIFIERS_BEHIND = _by_first("more over above|less fewer under below|older|newer|younger|later|earlier")
"""What stands behind a number and "or" and makes a bound of it."""
LABELS = PLACES - {"p"} | frozenset("version release § no number room bus line port".split())
"""Behind them a number counts nothing: it is a name. A p is a penny here."""

_ENGLISH = frozenset("the of and is are was were to in with for on that by from it at as be not".split())
_OTHERS = frozenset(
    """der die das und ist nicht ein eine den dem von zu mit le la les des est une du et que pas dans pour el los las una y en del por
    il che di per con non het een van niet de op o os as do da em um uma och att det""".split()
)


def is_english(words: Iterable[str]) -> bool:
    """Whether words in lower case are English rather than one of its neighbours, whose "not" and "may" aren't known here."""
    counts = Counter(words)
    return sum(counts[word] for word in _ENGLISH) >= sum(counts[word] for word in _OTHERS - _ENGLISH)


SUBORDINATORS = frozenset("when if while whilst although though because unless until till whereas".split())
"""They open a segment of their own; "but" does too."""
REPORTS = frozenset(k for w in "report say announce find suggest expect propose know believe think note claim".split() for k in keys(w))
"""Behind them "that" opens a segment."""
GOVERNORS = frozenset(
    key
    for word in """propose plan intend hope want try attempt refuse fail deny suggest believe think suspect assume expect claim allege doubt
    consider promise threaten offer recommend request ask aim decline forbid prohibit prevent avoid estimate predict forecast reject
    scheduled supposed argue warn fear""".split()
    for key in keys(word)
)
"""What follows them, with "to" or "that", was proposed, hoped or denied: it need not be so."""
LIGHT = frozenset(
    """say state accord mention list passage document source happen occur locate situat name call exampl specif place reach need tak involv
    appli mean becom com go mak last amount total equal measur stand""".split()
)
"""Stems of words that a claim may add: they say nothing of their own."""
DIMENSIONS = frozenset("old long deep high wid tal far away".split())
"""Stems that say nothing behind a number's unit: 7 years old."""
