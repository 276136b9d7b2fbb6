"""The grounded prompt: a question over numbered sources, the same in training and in answering.

A prompt is a list of pieces of text. Each is encoded on its own and the ids are joined, so that the tokens of every piece can be
counted exactly. The question stands before the sources as well as after them, because a causal model reads better when it
knows what to look for. An answer begins with a space, so that it has the same tokens as the words it quotes.
"""

import re
import string

REFUSAL = " The sources do not say."
"""What the starter was trained to say when the sources don't answer."""


def opening(question: str) -> str:
    return f"Question: {question.strip()}\n\n"


def source(number: int, text: str) -> str:
    return f"[{number}] {text.strip()}\n\n"


def closing(question: str) -> str:
    return f"Question: {question.strip()}"


def answer(text: str, number: int) -> str:
    return f" {text.strip()} [{number}]"


def normalize_answer(text: str) -> str:
    """Lower case, without punctuation and articles: the form in which SQuAD's metrics compare answers."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())
