"""What an English word is compared by: its stem, and one word for a few plain synonyms.

Words are merged only where no claim turns false by it: lower and low, employer and employee, raise and lower stay apart.
"""

import re
from functools import lru_cache


def _first_of_each(groups: str) -> dict[str, str]:
    """Each word of a group to the group's first; groups are parted by | and line ends."""
    return {word: group.split()[0] for group in re.split(r"[|\n]", groups) if group.split() for word in group.split()}


_IRREGULAR = _first_of_each("""
    be am is are was were been being|have has had having|do does did done doing|begin began begun|break broke broken|bring brought
    build built|burn burnt|buy bought|catch caught|choose chose chosen choice|come came|dig dug|draw drew drawn|drink drank drunk
    drive drove driven|eat ate eaten|fall fell fallen|feel felt|fight fought|find found|fly flew flown flight|forget forgot forgotten
    freeze froze frozen|get got gotten|give gave given|go went gone|grind ground|grow grew grown growth|hang hung|hear heard|hide hid hidden
    hold held|keep kept|know knew known|lay laid|lead led|lend lent|leave left|lie lay lain lying|lose lost loss|mean meant|meet met
    pay paid|ride rode ridden|ring rang rung|rise rose risen|run ran|see saw seen|sell sold sale|send sent|shake shook shaken
    shine shone|shoot shot
    show shown|shrink shrank shrunk|sing sang sung|sink sank sunk|sit sat|sleep slept|speak spoke spoken|spend spent|stand stood
    steal stole stolen|stick stuck|strike struck|sweep swept|swim swam swum|take took taken|teach taught|tear tore torn|tell told
    think thought|throw threw thrown|understand understood|wake woke woken|wear wore worn|win won|wind wound|write wrote written
    make made|say said|bind bound|bear bore borne|become became|bend bent|bleed bled|feed fed|forbid forbade forbidden|seek sought
    withdraw withdrew withdrawn withdrawal|overcome overcame|undergo underwent|foot feet|tooth teeth|man men|woman women|child children
    mouse mice|person people|wife wives|half halves|leaf leaves|shelf shelves|knife knives|die died dying death|tie tied tying
    analysis analyses|close closure|discover discovery|arrive arrival|propose proposal|remove removal|approve approval|refuse refusal
    renew renewal|use used using|fail failure|deliver delivery|high height|deep depth|wide width|long length|weigh weight
    marry marriage|decide decision
    enter entry|depart departure|recover recovery|announce announcement|use usage|withhold withheld""")
_SYNONYMS = _first_of_each("""
    begin start commence|finish end conclude|large big|small little|buy purchase|build construct erect|car automobile|child kid
    help assist aid|ill sick|show display|need require|use employ utilise utilize|allow permit|forbid prohibit ban|get obtain receive
    keep retain|rise raise increase grow climb|fall decrease drop decline reduce|month monthly|week weekly|fast quick rapid
    firm company business|doctor physician|film movie|shop store|mend repair fix|happen occur|select choose pick|answer reply respond
    say state tell report announce mention|think believe|try attempt|live reside|give provide supply|carry transport convey|discover find
    create make produce|change alter modify|close shut|burn fire|employee staff worker|picture image photo photograph|error mistake
    check examine inspect|anyone anybody|everyone everybody|someone somebody|enough sufficient|correct right|main chief principal
    usual normal|often frequently|stay remain|delete remove erase|include contain|because since owing due|while whilst during when
    whole entire|also too|hurt injure|bike bicycle|phone telephone|fridge refrigerator|advert advertisement|laboratory lab
    lorry truck|flat apartment|cheap inexpensive|rich wealthy|author writer|gift present|road rd|color colour|center centre|meter metre
    theater theatre|gray grey|program programme|labor labour|harbor harbour|license licence|defense defence|favor favour|neighbor neighbour
    organize organise|recognize recognise|analyze analyse|catalog catalogue|tire tyre|mold mould|plow plough|aluminum aluminium
    cost price|pupil student|stop cease halt|email e-mail|damage harm|task duty|kind sort type|advise recommend|hit strike
    game match|aim goal|rule regulation|vote ballot|trip journey|rain rainfall|rare seldom""")


def is_inflected(word: str) -> bool:
    """Whether it may be a verb's past or participle."""
    word = word.casefold()
    return word.endswith("ed") or word in _IRREGULAR


_WHOLE = frozenset("station nation section version region portion mission pension question fashion".split())
"""Words that only look as if they ended in -ion."""
_SUFFIXES = (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("zes", "z"), ("ied", "y"))
_DOUBLED = re.compile(r"([bdgklmnprt])\1\Z")


@lru_cache(maxsize=20_000)
def keys(word: str) -> frozenset[str]:
    """All that a word in lower case may be compared by; two words say the same where one key is in both."""
    return frozenset(_BY_STEM.get(s, s) for s in lemmas(word))


def lemmas(word: str) -> frozenset[str]:
    """The stems that a word in lower case may be a form of."""
    word = word.removesuffix("'s").removesuffix("'")
    bases = {word, _IRREGULAR.get(word, word), _IRREGULAR.get(word.removesuffix("s"), word)}
    return frozenset(map(stem, bases))


def stem(word: str) -> str:
    """The word without its ending of number, tense or noun; -er, -est, -less and the like stay, which say something else."""
    if len(word) < 3 or not word.isascii() or word in _WHOLE:
        return word
    for ending, instead in _SUFFIXES:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            word = word.removesuffix(ending) + instead
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) > 1 and re.search(r"[aeiouy]", base) and not word.endswith("eed"):
            word = base
            break
    for ending in ("ation", "ition", "ion", "ment", "ly"):
        base = word.removesuffix(ending)
        if base != word and len(base) > 3:
            word = base
            break
    return _DOUBLED.sub(r"\1", word.removesuffix("e"))


_BY_STEM = {stem(word): stem(first) for word, first in _SYNONYMS.items()}
