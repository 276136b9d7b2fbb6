"""The form in which a question over numbered sources is put to the model, shared by training and answering.

A prompt is a list of pieces of text that are encoded one by one and then joined as ids, so that the tokens of each can
be counted exactly. The question stands before the sources as well as after them: a causal model reads better when it
knows what it looks for. An answer begins with a space, so that its tokens are the very tokens of the source.
"""

import re
import string

REFUSAL = " The sources do not say."
"""What the starter was trained to answer when they don't."""


def opening(question: str) -> str:
    return f"Question: {question.strip()}\n\n"


def source(number: int, text: str) -> str:
    return f"[{number}] {text.strip()}\n\n"


def closing(question: str) -> str:
    return f"Question: {question.strip()}"


def answer(text: str, number: int) -> str:
    return f" {text.strip()} [{number}]"


def normal(text: str) -> str:
    """Lower case, no punctuation, no articles: how answers are compared."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())
