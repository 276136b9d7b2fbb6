"""Generating, stopping, cancelling, sampling, scoring."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model import Model, load_model
from model.batching import Run
from model.cache import KVCache
from model.errors import WindowError
from model.lookup import PromptLookup
from model.sampling import greedy, sampled
from tests.model.conftest import oracle, tokenizer_json


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, device: str) -> Model:
    directory = tmp_path_factory.mktemp("m")
    oracle().save_pretrained(directory)
    (directory / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    return load_model(directory, device=device, dtype=torch.float32)


PROMPT = [2, 40, 50, 60]


def test_a_stop_id_ends_the_text_and_is_not_part_of_it(model: Model) -> None:
    free = [t.id for t in model.generate(PROMPT, 20, stop_ids=())]
    stop = free[7]
    assert [t.id for t in model.generate(PROMPT, 20, stop_ids={stop})] == free[: free.index(stop)]


def test_stop_ids_come_from_the_tokenizer(model: Model) -> None:
    eos = model.tokenizer.end_of_turn_id

    def end(generated: list[int], logits: torch.Tensor) -> torch.Tensor:
        return logits if len(generated) < 3 else torch.nn.functional.one_hot(torch.tensor(eos, device=logits.device), len(logits)).float()

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


def test_a_score_is_the_logprobs_of_what_would_be_generated(model: Model) -> None:
    tokens = list(model.generate(PROMPT, 10, stop_ids=()))
    state = model.read(PROMPT, room=9)
    assert state is not None
    for count in (1, 4, 10, 3):  # a score leaves the state as it was
        expected = sum(t.logprob for t in tokens[:count])
        assert model.score(state, [t.id for t in tokens[:count]]) == pytest.approx(expected, abs=1e-3)


def test_a_text_is_read_on_from_what_it_shares_with_an_earlier_one(model: Model) -> None:
    passes: list[int] = []
    watched = Model(model.network, model.tokenizer, {}, run=_counting(model, passes))
    text, other = PROMPT * 10, PROMPT * 6 + [9, 9, 9]
    first = watched.read(text, room=20)
    assert first is not None
    tokens = [t.id for t in watched.generate(first, 10, stop_ids=())]
    passes.clear()
    for again in (text + tokens[:5], other, other[:7], other[:7]):
        first = watched.read(again, first)
        assert first is not None
        assert (first.logits - model.forward(torch.tensor([again]))[0, -1]).abs().max() <= 1e-4
    assert passes == [1, 3, 1, 1]


def _counting(model: Model, passes: list[int]) -> Run:
    def run(ids: torch.Tensor, caches: Sequence[KVCache], logits_to_keep: int) -> torch.Tensor:
        passes.append(ids.shape[1])
        return model.network(ids, caches, logits_to_keep)

    return run


def test_a_long_prompt_is_read_in_steps(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in ("_PREFILL_STEP", "_PREFILL_STEP_GPU"):
        monkeypatch.setattr(f"model.engine.{step}", 30)
    passes: list[int] = []
    ids = torch.randint(8, 300, (100,)).tolist()
    read = Model(model.network, model.tokenizer, {}, run=_counting(model, passes)).read(ids)
    assert read is not None and passes == [30, 30, 30, 10]
    assert (read.logits - model.forward(torch.tensor([ids]), logits_to_keep=1)[0, 0]).abs().max() <= 1e-4


class Wrong:
    """Guesses at every third token, mostly wrong."""

    pausing = False

    def __call__(self, ids: Sequence[int]) -> list[int]:
        self.pausing = len(ids) % 3 != 0
        return [9, *ids[-3:]] if len(ids) % 3 == 1 else []


@pytest.mark.parametrize("hurries", [False, True])
@given(st.lists(st.integers(8, 12), min_size=4, max_size=40), st.integers(1, 30))
def test_guesses_leave_the_text_as_it_is(model: Model, hurries: bool, prompt: list[int], count: int) -> None:
    plain = [t.id for t in model.generate(prompt, count, stop_ids=())]
    model = Model(model.network, model.tokenizer, {})
    model._hurries = hurries
    assert [t.id for t in model.generate(prompt, count, stop_ids=(), draft=Wrong())] == plain
    assert [t.id for t in model.generate(prompt, count, stop_ids=(), draft=PromptLookup("cuda"))] == plain
    drafts = (None, PromptLookup("cuda"))
    drawn = [[t.id for t in model.generate(prompt, count, stop_ids=(), sampler=sampled(2.0, seed=1), draft=d)] for d in drafts]
    assert drawn[0] == drawn[1]


def test_a_text_that_repeats_itself_takes_few_passes(model: Model) -> None:
    passes: list[int] = []
    watched = Model(model.network, model.tokenizer, {}, run=_counting(model, passes))
    said = [50, 60, 70, 80, 90, 100, 110, 120, 130, 140]

    def quote(generated: list[int], logits: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(torch.tensor(said[len(generated)], device=logits.device), len(logits)).float()

    assert [t.id for t in watched.generate([2, *said, 7], 10, stop_ids=(), processors=[quote], draft=PromptLookup("cuda"))] == said
    assert passes == [12, 9]


def test_a_lookup_guesses_what_stood_first_behind_the_last_words_and_how_texts_end() -> None:
    lookup = PromptLookup("cuda", [8, 9, 1])
    assert lookup([2, 5, 6, 7, 4, 6, 3, 5, 3, 6]) == [7, 4, 6, 3, 5, 3, 6]
    assert PromptLookup("cuda")([5, 6, 7, 0, 4, 6, 3, 4, 6])[0] == 3  # two words known count more than one
    assert lookup([2, 5, 6, 7, 4, 6, 3, 5, 3, 6, 7, 8])[:2] == [9, 1]


def test_a_lookup_that_is_always_wrong_seldom_guesses() -> None:
    lookup, ids = PromptLookup("cuda"), [1, 2, 3]
    guesses = []
    for _ in range(300):
        guesses.append(bool(lookup(ids)))
        ids += [1, 2]  # what followed 1, 2 is never the same
        ids.append(3 + len(ids))
    assert sum(guesses) <= 20


def test_threads_that_wait_together_share_passes(model: Model) -> None:
    sizes: list[int] = []

    def run(ids: torch.Tensor, caches: Sequence[KVCache], logits_to_keep: int) -> torch.Tensor:
        sizes.append(len(ids))
        time.sleep(0.03)  # as long as a real pass takes, so that the others come meanwhile
        return model.network(ids, caches, logits_to_keep)

    watched = Model(model.network, model.tokenizer, {}, run=run)
    prompts = [[2, *range(40 + n, 44 + 3 * n)] for n in range(6)]
    alone = [[t.id for t in model.generate(prompt, 12, stop_ids=())] for prompt in prompts]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda prompt: [t.id for t in watched.generate(prompt, 12, stop_ids=())], prompts)) == alone
    assert max(sizes) > 3


def test_who_comes_during_a_pass_is_in_all_that_follow(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.batching._PATIENCE", 60)
    sizes: list[int] = []
    late = threading.Event()

    def run(ids: torch.Tensor, caches: Sequence[KVCache], logits_to_keep: int) -> torch.Tensor:
        if ids.shape[1] == 1:
            sizes.append(len(ids))
            if len(sizes) == 2:
                late.set()
            while len(sizes) < 3 and len(ids) + len(watched._run._waiting) < len(sizes) + 2:  # three, then four
                time.sleep(0.001)
        return model.network(ids, caches, logits_to_keep)

    def answer(number: int) -> None:
        if number == 3:
            assert late.wait(60)
        assert sum(1 for _ in watched.generate(states[number], 40, stop_ids=())) == 40

    watched = Model(model.network, model.tokenizer, {}, run=run)
    read = [watched.read(PROMPT, room=40) for _ in range(4)]
    states = [state for state in read if state is not None]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(answer, range(4)))
    assert sizes[1:39] == [3, *[4] * 37]


def test_after_ctrl_c_in_a_pass_the_next_text_is_answered(model: Model) -> None:
    interrupted = [True]

    def run(ids: torch.Tensor, caches: Sequence[KVCache], logits_to_keep: int) -> torch.Tensor:
        if ids.shape[1] == 1 and interrupted:
            interrupted.pop()
            raise KeyboardInterrupt
        return model.network(ids, caches, logits_to_keep)

    stopped = Model(model.network, model.tokenizer, {}, run=run)
    with pytest.raises(KeyboardInterrupt):
        list(stopped.generate(PROMPT, 5, stop_ids=()))
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(lambda: [t.id for t in stopped.generate(PROMPT, 5, stop_ids=())])
        assert again.result(timeout=60) == [t.id for t in model.generate(PROMPT, 5, stop_ids=())]


def test_an_error_in_a_pass_reaches_everyone_in_it(model: Model) -> None:
    def run(ids: torch.Tensor, caches: Sequence[KVCache], logits_to_keep: int) -> torch.Tensor:
        if ids.shape[1] == 1:
            raise MemoryError("none left")
        return model.network(ids, caches, logits_to_keep)

    broken = Model(model.network, model.tokenizer, {}, run=run)

    def ask(prompt: list[int]) -> str:
        with pytest.raises(MemoryError) as caught:
            list(broken.generate(prompt, 5, stop_ids=()))
        return str(caught.value)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, [PROMPT] * 4)) == ["none left"] * 4


def test_sampling_keeps_to_top_k_and_top_p_and_its_seed(device: str) -> None:
    logits = torch.tensor([2.0, 1.0, 0.5, -1.0, -5.0], device=device)
    assert {int(sampled(5.0, top_k=2, seed=i)(logits)) for i in range(60)} == {0, 1}
    assert {int(sampled(1.0, top_p=0.1, seed=i)(logits)) for i in range(20)} == {0}
    assert {int(sampled(1.0, top_p=0.0, seed=i)(logits)) for i in range(5)} == {0}
    assert sampled(0.0) is greedy
    draws = [[int(sample(logits)) for _ in range(20)] for sample in (sampled(3.0, seed=4), sampled(3.0, seed=4), sampled(3.0, seed=5))]
    assert draws[0] == draws[1] != draws[2]
