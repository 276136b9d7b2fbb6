"""Marks agree with the measures that they are named after, and intervals with what is known of them."""

import random
from typing import Any

import numpy as np
import pytest

from rag.scoring import FIGURES, Difference, Estimate, differences, estimate, f1, figures, is_right, marks, wilson


def said(answer: str, accepted: list[str], refused: bool = False, cited: tuple[bool, ...] = ()) -> dict[str, float]:
    prediction: dict[str, Any] = {"answer": answer, "refused": refused, "citations": [{"verified": v} for v in cited], "retrieved": []}
    return marks(prediction, accepted)


def values(found: dict[str, Estimate | None]) -> dict[str, float | None]:
    return {name: e and round(e.value, 4) for name, e in found.items()}


def test_figures_count_a_refusal_as_no_answer() -> None:
    marked = [
        said("in 1641 [1]", ["1641"], cited=(True, False)),
        said("Tom Reed", ["Tom Reed"], refused=True),
        said("no", [], refused=True),
    ]
    found = values(figures(marked))
    assert found == {
        "F1": round((2 / 3) / 2, 4),
        "EM": 0.0,
        "right": 0.5,
        "refusal_precision": 0.5,
        "refusal_recall": 1.0,
        "answerable_refused": 0.5,
        "citation_precision": 0.5,
        "retrieval_recall": None,
    }
    assert set(found) == set(FIGURES)


def test_f1_is_squads() -> None:
    assert f1("the Tom Reed", ["Tom Reed"]) == 1.0
    assert f1("Reed", ["x", "Tom Reed"]) == pytest.approx(2 / 3)
    assert f1("", ["Tom"]) == 0.0


@pytest.mark.parametrize(
    ("answer", "accepted", "right"),
    [
        ("The mill at Brook was built by Agnes in the year 1641, as the deed says.", ["1641"], True),
        ("It was built in 16411.", ["1641"], False),
        ("Tom", ["Tom Reed"], True),
        ("the ferryman Reed of Brook", ["Tom Reed"], False),
        ("No, there is no ferry.", ["no"], True),
        ("There is no ferry.", ["no"], False),
        ("Yes", ["no"], False),
        ("", ["1641"], False),
        ("anything", [], False),
        ("anything", ["..."], False),
        ("the sun", ["moon", "sun"], True),
    ],
)
def test_an_answer_in_other_words_is_right_where_it_holds_an_accepted_one(answer: str, accepted: list[str], right: bool) -> None:
    assert is_right(answer, accepted) is right


@pytest.mark.parametrize(  # Brown, Cai and DasGupta 2001; the values are those of statsmodels' proportion_confint(method="wilson")
    ("share", "of", "low", "high"),
    [(0.0, 10, 0.0, 0.2775), (1.0, 10, 0.7225, 1.0), (0.5, 10, 0.2366, 0.7634), (0.9, 10, 0.5958, 0.9821), (0.05, 200, 0.0274, 0.0896)],
)
def test_a_share_has_wilsons_interval(share: float, of: int, low: float, high: float) -> None:
    assert wilson(share, of) == pytest.approx((low, high), abs=1e-4)


def test_three_right_answers_are_not_certainty() -> None:
    for parts, wholes in (([1, 1, 1], [1, 1, 1]), ([2, 3, 1], [2, 3, 1])):
        found = estimate(parts, wholes)
        assert found and found.value == 1 and 0.4 < found.low < 0.5 and found.high == 1


def test_the_bootstraps_interval_is_that_of_the_normal_distribution_for_many_questions() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.random(400)
    found = estimate(drawn, np.ones(400))
    spread = 1.96 * drawn.std() / 20
    assert found and found.value == pytest.approx(drawn.mean())
    assert (found.low, found.high) == pytest.approx((drawn.mean() - spread, drawn.mean() + spread), abs=0.004)


def test_intervals_hold_the_truth_in_about_95_of_100_draws() -> None:
    rng, truth, held = np.random.default_rng(2), 0.3, 0
    for _ in range(200):
        found = estimate((rng.random(60) < truth).astype(float), np.ones(60))
        assert found
        held += found.low <= truth <= found.high
    assert 182 <= held <= 199


def test_an_interval_is_the_same_each_time() -> None:
    parts = [random.Random(0).random() for _ in range(50)]
    assert estimate(parts, [1.0] * 50) == estimate(parts, [1.0] * 50)


def test_a_ratio_weighs_each_question_by_what_it_counts_for() -> None:
    found = estimate([1, 0, 0], [1, 0, 9])
    assert found and found.value == 0.1 and (found.low, found.high) == (0.0, 1.0)


def pairs(before: list[bool], after: list[bool]) -> Difference:
    first, second = ([said("1641" if right else "1642", ["1641"]) for right in side] for side in (before, after))
    found = differences(first, second)["EM"]
    assert found
    return found


def test_equal_runs_differ_by_nothing() -> None:
    found = pairs([True, False] * 20, [True, False] * 20)
    assert (found.low, found.high, found.changed, found.within_chance) == (0, 0, 0, True)


def test_few_changes_are_within_chance_however_they_go() -> None:
    assert pairs([False] * 5, [True] * 5).within_chance
    assert not pairs([False] * 6, [True] * 6).within_chance


def test_pairs_tell_more_than_two_shares() -> None:
    """12 of 200 change, all for the better: sure by pairs, though the two shares' own intervals overlap."""
    before = [n < 100 for n in range(200)]
    after = [n < 112 for n in range(200)]
    assert wilson(0.5, 200)[1] > wilson(0.56, 200)[0]
    found = pairs(before, after)
    assert not found.within_chance and 0 < found.low < 0.06 < found.high
    assert pairs(before, [n < 106 or n >= 194 for n in range(200)]).changed == 12
    shuffled = [(n < 94) or (100 <= n < 106) for n in range(200)]
    assert pairs(before, shuffled).within_chance, "six better and six worse"


def test_a_figure_that_one_run_does_not_have_is_not_compared() -> None:
    found = differences([said("1641", ["1641"])], [said("", ["1641"], refused=True)])
    assert found["refusal_precision"] is None and found["refusal_recall"] is None and found["F1"]
