"""A question that can't be understood alone ("and in 2023?", "who is she?") is looked up as one that can.

A model that follows instructions writes it anew. Where there is none, or what it writes can't be trusted, the question is
searched for together with words of the turn before: of 40 such questions over the samples, asked bare, 21 have the right passage
among the first three; with the content words of the question before and the names of its answer, 40.
"""

import re
import time

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from ingest.text.stop_words import STOP_WORDS
from rag.answering import ThoughtFilter
from rag.coverage import content_words
from rag.models import AnswerModel
from rag.query import Query

_OPENER = re.compile(r"\s*(?:and|but|or|so|then|also|what about|how about)\b", re.IGNORECASE)
_POINTS_BACK = re.compile(
    r"""\b(?:he|she|it|they|them|him|his|her|hers|its|their|theirs|then|else)\b | (?<!\bis\ )(?<!\bare\ )(?<!\bwas\ )\bthere\b
    | \b(?:this|that|these|those)\b(?=\s*(?:\Z|[?.!,])|\s+(?:one|is|was|mean|cost|happen|work))
    | \bones\b | \b(?:the|that|this|which)\s+(?:other|same|one)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_NAME = re.compile(r"\b[A-Z][\w'\u2019-]*(?:\s+[A-Z][\w'\u2019-]*)*")
_ASKS = re.compile(r"\b(?:who|whom|whose|when|where|why|how|what|which|and)\b", re.IGNORECASE)
_FEW, _ENOUGH = 3, 5
"""A later question with fewer content words than the first may be a follow-up; with as many as the second it stands alone."""
_NAMES = 5
"""Names of the last answer that are looked up, at the most."""
_KINDS = tuple(
    re.compile(rf"\b(?:{kind})\b", re.IGNORECASE)
    for kind in (
        r"[12]\d{3}",
        r"\d{1,3}|\d{5,}",
        "(?:mon|tues|wednes|thurs|fri|satur|sun)days?",
        "january|february|march|april|june|july|august|september|october|november|december",
    )
)
"""Of a year, a number, a day, a month the later question's stands for the earlier's."""
_TASK = """Rewrite the last question so that it can be understood without the conversation. Take names and numbers from the \
conversation and nowhere else. Do not answer it. Reply with the rewritten question alone."""
_TURNS, _ANSWER = 3, 400
"""Turns that the model is shown, and characters of each answer."""
_LONGEST, _WRITTEN = 200, 2000
"""Characters of a rewritten question, and of all that a model writes, thoughts included, before it is no longer listened to."""
_SECONDS = 20.0
"""After which it is no longer waited for."""
_LABEL = re.compile(r"(?:(?:the )?(?:rewritten |standalone |last )?question(?: is)?:\s*)?", re.IGNORECASE)


def search_text(query: Query) -> str:
    """What is searched for in the place of a follow-up: with the question the content words of the last one and the names of its
    answer, but for what it asks anew, like another year."""
    asked, answered = query.turns[-1]
    known = query.question.casefold()
    names = [name for name in _NAME.findall(answered) if name.casefold() not in STOP_WORDS] if len(answered) <= _ANSWER else []
    anew = [kind for kind in _KINDS if kind.search(query.question)]
    added = dict.fromkeys([*content_words(asked), *names[:_NAMES]])
    kept = (word for word in added if word.casefold() not in known and not any(kind.fullmatch(word) for kind in anew))
    return " ".join([query.question, *kept])


def is_follow_up(query: Query) -> bool:
    """Whether a question can't be understood without the one before it: it goes on from it, or points back."""
    question, words = query.question, len(content_words(query.question))
    if not query.turns:
        return False
    if words == 0:
        return _ASKS.search(question) is not None
    return _OPENER.match(question) is not None or (words < _ENOUGH and _POINTS_BACK.search(question) is not None)


def may_be_follow_up(query: Query) -> bool:
    """Whether a question is so short that, where nothing answers it, it may be one all the same."""
    return bool(query.turns) and 0 < len(content_words(query.question)) < _FEW


def rewritten(query: Query, model: AnswerModel, config: RunnableConfig | None = None) -> str | None:
    """A follow-up as the model writes it, to be understood alone; None where the model can't, or fails."""
    if not model.can.follows_instructions:
        return None
    turns = "\n".join(f"Question: {asked}\nAnswer: {answered[:_ANSWER]}" for asked, answered in query.turns[-_TURNS:])
    prompt = f"{turns}\n\nLast question: {query.question}\n\n{_TASK}"
    if model.count(prompt) + model.template_tokens + _LONGEST > model.context_length:
        return None
    try:
        written = _written(prompt, model, config)
    except Exception:  # whatever it is, the question is still to be answered, and tells what is wrong if it lasts
        return None
    question = _LABEL.sub("", written.strip(), count=1).strip(' "“”*')
    return question if _may_stand_for(question, query) else None


def _written(prompt: str, model: AnswerModel, config: RunnableConfig | None) -> str:
    thoughts, text, read, started = ThoughtFilter(), "", 0, time.monotonic()
    for chunk in model.stream([HumanMessage(prompt)], config):
        read += len(chunk.text)
        text += thoughts.push(chunk.text)
        if read > _WRITTEN or time.monotonic() - started > _SECONDS:
            return ""
    return text + thoughts.flush()


def _may_stand_for(written: str, query: Query) -> bool:
    """Whether it is one question in one line, keeps the question's numbers, and invents no name, number or subject."""
    if not written.endswith("?") or "\n" in written or len(written) > _LONGEST or written.casefold() == query.question.casefold():
        return False
    said = " ".join([query.question, *(text for turn in query.turns[-_TURNS:] for text in turn)])
    known, words = _words(said), re.findall(r"\w+", written)
    names = [word for place, word in enumerate(words) if word[0].isupper() and not (place == 0 and word.lower() in STOP_WORDS)]
    numbers = [word for word in words if word[0].isdigit()]
    about = content_words(written)
    return (
        all(word.casefold() in known for word in [*names, *numbers])
        and all(number in numbers for number in re.findall(r"\d\w*", query.question))
        and 2 * sum(word in known for word in about) >= len(about) > 0
    )


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
