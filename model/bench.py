"""How fast a model runs here, beside what the machine allows: what `octavo bench model` measures.

A decoded token reads every weight once, and the keys and values so far: its ceiling is memory (GB/s). A prompt multiplies every weight
with each of its tokens: its ceiling is arithmetic (TFLOP/s). Both ceilings are measured in the same run, and a peer is run in turns
with us, so that what else the machine does meanwhile strikes both.
"""

import os
import platform
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from model.config import SHAPES, Gemma2Config
from model.engine import Model, State
from model.errors import ModelError
from model.gemma2 import Gemma2
from model.load.checkpoint import Quantize, build_network
from model.load.sources import choose_dtype, compile_ahead, load_model, model_of, read_checkpoint, resolve_device
from model.peers import LlamaCpp, Timed, Transformers

Peer = Literal["transformers", "llama.cpp"]


class Runner(Protocol):
    def __call__(self, prompt: list[int], tokens: int) -> Timed:
        """Reads a prompt and writes `tokens` tokens, the likeliest each time."""


def bench(
    source: str | Path,
    *,
    device: str,
    dtype: torch.dtype | str,
    quantize: Quantize | None,
    context: int,
    tokens: int,
    rounds: int,
    together: int,
    compare: Peer | None,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Figures of a prompt of `context` tokens and an answer of `tokens`, of ours and of the peer, the best of `rounds` runs each, and of
    so many answers that are written `together`.

    Args:
        source: what `load_model` takes, or the name of a shape ("2b", "9b", "27b"), for random weights.

    Raises:
        ModelError: there is no such model or peer, or the prompt doesn't fit.
    """
    began = time.monotonic()
    ours = random_model(str(source), device, dtype, quantize) if source in SHAPES and source != "starter" else None
    ours = ours or load_model(source, device=device, dtype=dtype, quantize=quantize)
    loaded = time.monotonic() - began
    if context + tokens > ours.window or context < 2 or tokens < 2:
        raise ModelError(f"{context} and {tokens} tokens don't fit the window of {ours.window}", "give shorter ones")
    prompt = torch.randint(300, ours.config.vocab_size, (context,), generator=torch.Generator().manual_seed(0)).tolist()
    runners: dict[str, Runner] = {"ours": Ours(ours)}
    runners["ours"](prompt, tokens)
    peak = _peak_mb(ours.device)
    if compare:
        runners[compare] = (Transformers(ours) if compare == "transformers" else LlamaCpp(source, context + tokens)).run
    tell("measuring what this machine allows")
    limits = ceilings(ours.device, ours.network.dtype)
    runs: dict[str, list[Timed]] = {name: [] for name in runners}
    for number in range(rounds + 1):  # the first one warms up
        for name, run in runners.items():
            timed = run(prompt, tokens)
            runs[name] += [timed] if number else []
            tell(f"round {number} of {rounds}: {name} {context / timed.first:,.0f} and {(tokens - 1) / timed.rest:,.1f} tokens/s")
    found: dict[str, Any] = {name: _figures(ours, timed, context, tokens, limits) for name, timed in runs.items()}
    found["ours"] |= {"peak_mb": peak, "load_s": round(loaded, 2)}
    if together:
        tell(f"{together} answers together")
        found["together"] = written_together(ours, together, tokens, rounds)
    if compare:
        found["peer"] = compare
        pairs = list(zip(runs["ours"], runs[compare], strict=True))
        found["ratios"] = {
            "prefill": round(median(theirs.first / mine.first for mine, theirs in pairs), 2),
            "decode": round(median(theirs.rest / mine.rest for mine, theirs in pairs), 2),
        }
    shape = {"context": context, "tokens": tokens, "dtype": _name(ours.network.dtype), "quantize": quantize}
    here = {"device": device_name(ours.device), "threads": torch.get_num_threads(), "load": round(os.getloadavg()[0], 2)}
    return {**found, "ceilings": limits, **shape, **here}


def _figures(model: Model, runs: list[Timed], context: int, tokens: int, limits: dict[str, float]) -> dict[str, float]:
    first, rest = min(run.first for run in runs), min(run.rest for run in runs)
    flops, read = prefill_flops(model.config, context), decode_bytes(model.network, context + tokens // 2)
    tflop_s, gb_s = flops / first / 1e12, read * (tokens - 1) / rest / 1e9
    return {
        "prefill_tok_s": round(context / first, 1),
        "prefill_tflop_s": round(tflop_s, 2),
        "prefill_share": round(tflop_s / limits["tflop_s"], 3),
        "decode_tok_s": round((tokens - 1) / rest, 2),
        "decode_gb_s": round(gb_s, 1),
        "decode_share": round(gb_s / limits["gb_s"], 3),
        "first_token_s": round(first, 4),
    }


def written_together(model: Model, count: int, tokens: int, rounds: int) -> dict[str, float]:
    """Tokens a second of `count` threads that each write an answer, behind 128 to 2,048 tokens, and how many times those of one thread."""
    most = min(2048, model.window - tokens)
    lengths = [128 + (most - 128) * n // max(1, count - 1) for n in range(count)] if most > 128 else [most] * count

    def write(lengths: Sequence[int]) -> float:
        states = [model.read([7] * length, room=tokens) for length in lengths]
        ready = threading.Barrier(len(states) + 1)

        def answer(state: State) -> None:
            ready.wait()
            assert sum(1 for _ in model.generate(state, tokens, stop_ids=())) == tokens

        with ThreadPoolExecutor(len(states)) as pool:
            answers = [pool.submit(answer, state) for state in states if state is not None]
            ready.wait()
            began = time.perf_counter()
            for one in answers:
                one.result()
        return len(states) * tokens / (time.perf_counter() - began)

    runs = [(write(lengths), write([sum(lengths) // count])) for _ in range(rounds + 1)][1:]  # the first one warms up
    best, alone = (max(column) for column in zip(*runs, strict=True))
    return {"texts": count, "tok_s": round(best, 1), "times_one": round(best / alone, 2)}


def prefill_flops(config: Gemma2Config, tokens: int) -> float:
    """Floating-point operations of reading a prompt: two for each weight and token, and the scores inside each layer's window."""
    matrices = config.num_parameters - config.vocab_size * config.hidden_size
    seen = sum(
        sum(min(t + 1, config.sliding_window if config.is_sliding(layer) else tokens) for t in range(tokens))
        for layer in range(config.num_hidden_layers)
    )
    return 2.0 * matrices * tokens + 4.0 * seen * config.num_attention_heads * config.head_dim


def decode_bytes(network: Gemma2, context: int) -> int:
    """Bytes that a token must read: each weight once, and the keys and values inside each layer's window."""
    config = network.config
    weights = sum(t.numel() * t.element_size() for t in (*network.parameters(), *network.buffers()))
    seen = sum(min(context, config.sliding_window) if config.is_sliding(layer) else context for layer in range(config.num_hidden_layers))
    return weights + 2 * seen * config.num_key_value_heads * config.head_dim * network.dtype.itemsize


def ceilings(device: torch.device, dtype: torch.dtype) -> dict[str, float]:
    """What plain torch moves (GB/s) and multiplies (TFLOP/s) here, the best of several times each.

    A processor's memory is read for a sum. On a GPU torch's sums are slower than memory, and a copy is what comes near it.
    """
    cuda = device.type == "cuda"
    size = 8192 if cuda else 2048
    big = torch.ones(1 << (29 if cuda else 27), device=device)
    copy = torch.empty_like(big) if cuda else big
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    moving = min(_seconds((lambda: copy.copy_(big)) if cuda else (lambda: big.sum()), device) for _ in range(6))
    product = min(_seconds(lambda: a @ b, device) for _ in range(6))
    return {"gb_s": round((2 if cuda else 1) * big.nbytes / moving / 1e9, 1), "tflop_s": round(2 * size**3 / product / 1e12, 3)}


def _seconds(work: Callable[[], Any], device: torch.device) -> float:
    _wait(device)
    began = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Ours:
    def __init__(self, model: Model) -> None:
        self._model = model

    def __call__(self, prompt: list[int], tokens: int) -> Timed:
        began = time.perf_counter()
        generated = self._model.generate(prompt, tokens, stop_ids=())
        next(generated)
        first = time.perf_counter() - began
        assert sum(1 for _ in generated) == tokens - 1
        return Timed(first, time.perf_counter() - began - first)


def random_model(shape: str, device: str, dtype: torch.dtype | str, quantize: Quantize | None) -> Model:
    """A network of this shape with random weights, made on the device; how fast it is doesn't depend on what it says."""
    device, config, starter = resolve_device(device), SHAPES[shape], read_checkpoint("starter")
    dtype = choose_dtype(device, config.num_parameters) if dtype == "auto" else getattr(torch, str(dtype).removeprefix("torch."))
    compile_ahead(config, quantize, device, dtype)
    with torch.device("meta"):
        shapes = [(name, p.shape) for name, p in Gemma2(config).named_parameters()]

    def tensors() -> Iterator[tuple[str, Tensor]]:
        for name, size in shapes:
            wide = torch.empty(size, device=device, dtype=torch.bfloat16)
            yield name, wide.normal_(0, 0.02) if len(size) == 2 else wide.zero_()

    network = build_network(config, tensors(), shape, torch.device(device), dtype, quantize)
    return model_of(network, replace(starter, card={}))


def _peak_mb(device: torch.device) -> int:
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (1e6 if sys.platform == "darwin" else 1e3))


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


_FAST = ("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx512f", "avx2")
"""What makes a processor quick at this, as Linux names it."""


def processor() -> str:
    """Its name and what of `_FAST` it has, where Linux tells; else what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
    flags = [flag for flag in _FAST if flag in facts.get("flags", "").split()]
    return " ".join([facts.get("model name", platform.machine()), *([f"({', '.join(flags)})"] if flags else [])])


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
