"""A question asked of a passage: what one pair is made from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """
    Attributes:
        places: where the answer stands in the passage, in characters; none where it doesn't, or where that isn't known.
        answers: whether the passage answers.
    """

    question: str
    passage: str
    places: list[tuple[int, int]]
    answers: bool
