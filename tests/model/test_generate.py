"""What is generated follows from the whole prompt, and is drawn with the probabilities that were asked for."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from model import Model, load_model
from model.sampling import sampled
from tests.model.conftest import oracle, tokenizer_json


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, device: str) -> Model:
    directory: Path = tmp_path_factory.mktemp("m")
    oracle(max_position_embeddings=4096, num_hidden_layers=2).save_pretrained(directory)
    (directory / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    return load_model(directory, device=device, dtype=torch.float32)


@pytest.mark.parametrize("length", [1023, 1024, 1025, 1300, 2050])
def test_the_first_token_follows_the_last_of_a_long_prompt(length: int, model: Model) -> None:
    ids = [2, *torch.randint(20, 320, (length - 1,), generator=torch.Generator().manual_seed(length)).tolist()]
    first = next(iter(model.generate(ids, 1, stop_ids=())))
    logits = model.forward(torch.tensor([ids]), logits_to_keep=1)[0, -1]
    assert first.id == logits.argmax()
    assert first.logprob == pytest.approx(logits.log_softmax(-1).max().item(), abs=1e-3)


def draws(model: Model, probabilities: list[float], count: int, **options: float) -> Counter[int]:
    """How often each token comes where the network gives the first few these probabilities."""
    logits = torch.full((320,), -torch.inf, device=model.device)
    logits[: len(probabilities)] = torch.tensor(probabilities).log()
    sampler = sampled(options.get("temperature", 1.0), int(options.get("top_k", 0)), options.get("top_p", 1.0), seed=7)
    tokens = model.generate([2, 40], count, stop_ids=(), sampler=sampler, processors=[lambda ids, given: logits.expand_as(given).clone()])
    return Counter(token.id for token in tokens)


@pytest.mark.parametrize(("temperature", "share"), [(0.5, 0.36 / 0.46), (1.0, 0.6), (3.0, 0.6 ** (1 / 3) / 1.977)])
def test_a_temperature_sharpens_or_flattens_what_is_drawn(temperature: float, share: float, model: Model) -> None:
    counts = draws(model, [0.6, 0.3, 0.1], 400, temperature=temperature)
    assert counts[0] / 400 == pytest.approx(share, abs=0.07)


@pytest.mark.parametrize(("top_p", "kept"), [(0.3, 1), (0.45, 2), (0.65, 2), (0.75, 3), (0.95, 4), (1.0, 4)])
def test_top_p_keeps_the_likeliest_that_hold_so_much_together_and_no_more(top_p: float, kept: int, model: Model) -> None:
    assert set(draws(model, [0.4, 0.3, 0.2, 0.1], 100, top_p=top_p)) == set(range(kept))


def test_top_k_keeps_so_many(model: Model) -> None:
    assert set(draws(model, [0.1, 0.2, 0.4, 0.3], 100, top_k=3)) == {1, 2, 3}
