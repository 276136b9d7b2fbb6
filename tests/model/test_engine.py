"""Generating, stopping, cancelling, sampling, scoring."""

import threading

import pytest
import torch

from model import Model, load_model
from model.errors import WindowError
from model.sampling import greedy, sampled
from tests.model.conftest import oracle, tokenizer_json


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    directory = tmp_path_factory.mktemp("m")
    oracle().save_pretrained(directory)
    (directory / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    return load_model(directory, device="cpu", dtype=torch.float32)


PROMPT = [2, 40, 50, 60]


def test_a_stop_id_ends_the_text_and_is_not_part_of_it(model: Model) -> None:
    free = [t.id for t in model.generate(PROMPT, 20, stop_ids=())]
    stop = free[7]
    assert [t.id for t in model.generate(PROMPT, 20, stop_ids={stop})] == free[: free.index(stop)]


def test_stop_ids_come_from_the_tokenizer(model: Model) -> None:
    eos = model.tokenizer.end_of_turn_id

    def end(generated: list[int], logits: torch.Tensor) -> torch.Tensor:
        return logits if len(generated) < 3 else torch.nn.functional.one_hot(torch.tensor(eos), len(logits)).float()

    assert len(list(model.generate(PROMPT, 20, processors=[end]))) <= 3


def test_cancel_ends_a_generation_between_tokens_and_before_the_first(model: Model) -> None:
    cancel = threading.Event()
    got = []
    for token in model.generate(PROMPT, 50, stop_ids=(), cancel=cancel):
        got.append(token)
        if len(got) == 3:
            cancel.set()
    assert len(got) == 3
    assert list(model.generate(PROMPT, 50, cancel=cancel)) == []


def test_more_than_the_window_is_refused_before_anything_is_computed(model: Model) -> None:
    with pytest.raises(WindowError, match="256"):
        model.generate(PROMPT, 253)
    assert len(list(model.generate(PROMPT, 252, stop_ids=()))) == 252


def test_two_generations_at_once_do_not_meet(model: Model) -> None:
    alone = [[t.id for t in model.generate(p, 30, stop_ids=())] for p in (PROMPT, PROMPT[::-1])]
    a, b = (model.generate(p, 30, stop_ids=()) for p in (PROMPT, PROMPT[::-1]))
    together = list(zip(a, b, strict=True))
    assert [[t.id for t, _ in together], [t.id for _, t in together]] == alone


def test_scores_are_the_logprobs_of_generated_tokens(model: Model) -> None:
    tokens = list(model.generate(PROMPT, 10, stop_ids=()))
    ids = PROMPT + [t.id for t in tokens]
    spans = [(4, 7), (7, 14)]
    sums = [sum(t.logprob for t in tokens[a - 4 : b - 4]) for a, b in spans]
    assert model.score(ids, spans) == pytest.approx(sums, abs=1e-3)


def test_sampling_keeps_to_top_k_and_top_p_and_its_seed() -> None:
    logits = torch.tensor([2.0, 1.0, 0.5, -1.0, -5.0])
    assert {sampled(5.0, top_k=2, seed=i)(logits) for i in range(60)} == {0, 1}
    assert {sampled(1.0, top_p=0.1, seed=i)(logits) for i in range(20)} == {0}
    assert {sampled(1.0, top_p=0.0, seed=i)(logits) for i in range(5)} == {0}
    assert sampled(0.0) is greedy
    draws = [[sample(logits) for _ in range(20)] for sample in (sampled(3.0, seed=4), sampled(3.0, seed=4), sampled(3.0, seed=5))]
    assert draws[0] == draws[1] != draws[2]
