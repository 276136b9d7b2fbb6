"""The loop that distilling and tuning share: AdamW, a steady rate with a linear end, checkpoints that resume exactly.

A batch is a function of its step's number alone, so a run that was stopped goes on as if it had not been. Checkpoints are
safetensors and JSON, never pickle.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.errors import SourceError
from model.gemma2 import Gemma2

Loss = Callable[[int], tuple[Tensor, int]]
"""step -> (loss, tokens read)"""


def rate(step: int, steps: int, peak: float, warmup: int = 100, decay: float = 0.3) -> float:
    """Linear warm-up, a steady stretch (which resumes better than a cosine), linear to zero over the last `decay`."""
    return peak * min(1.0, (step + 1) / warmup, (steps - step) / max(1.0, decay * steps))


def train(network: Gemma2, loss_at: Loss, *, out: Path, steps: int, peak: float, save_every: int = 1000) -> None:
    """Runs steps until `steps`, from out/training.json's step where there is one; leaves the weights in `out`."""
    network.train().requires_grad_(True)
    fused = next(network.parameters()).is_cuda
    matrices = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.95), fused=fused)
    first = resume(network, optimizer, out)
    since, read, recent = time.monotonic(), 0, 0.0
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps, peak)
        loss, tokens = loss_at(step)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        read += tokens
        if step % 50 == 49 or step == steps - 1:
            value = loss.item()
            recent = value if not recent else 0.8 * recent + 0.2 * value
            speed = read / (time.monotonic() - since)  # of the last 50 steps: the first ones compile
            left = (steps - step - 1) * tokens / speed
            print(f"step {step + 1}/{steps}  loss {recent:.4f}  {speed:,.0f} tokens/s  {left / 60:.1f} min left", flush=True)
            since, read = time.monotonic(), 0
        if (step + 1) % save_every == 0 or step == steps - 1:
            save(network, optimizer, out, step + 1)


def save(network: Gemma2, optimizer: torch.optim.Optimizer, out: Path, step: int) -> None:
    """Whole or not at all: written beside, then renamed, the step's number last."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {name: p.detach().contiguous() for name, p in network.named_parameters()}
    moments: dict[str, Tensor] = {}
    for name, p in network.named_parameters():
        for key, value in optimizer.state.get(p, {}).items():
            moments[f"{key}/{name}"] = value.detach().contiguous()
    for tensors, file in ((weights, f"model-{step}.safetensors"), (moments, f"optimizer-{step}.safetensors")):
        save_file(tensors, out / f"{file}.tmp")
        (out / f"{file}.tmp").replace(out / file)
    (out / "config.json").write_text(json.dumps(network.config.to_dict(), indent=1))
    (out / "training.json.tmp").write_text(json.dumps({"step": step}))
    (out / "training.json.tmp").replace(out / "training.json")
    for old in out.glob("*-*.safetensors"):
        if not old.stem.endswith(f"-{step}"):
            old.unlink()


def resume(network: Gemma2, optimizer: torch.optim.Optimizer, out: Path) -> int:
    """Loads the checkpoint in `out`, where there is one; returns the step to go on with."""
    if not (out / "training.json").exists():
        return 0
    step: int = json.loads((out / "training.json").read_text())["step"]
    network.load_state_dict(load_weights(out))
    moments = load_file(out / f"optimizer-{step}.safetensors")
    for name, p in network.named_parameters():
        keys = [key for key in moments if key.partition("/")[2] == name]
        optimizer.state[p] = {key.partition("/")[0]: moments[key].to(p.device if p.is_cuda else "cpu") for key in keys}
    return step


def load_weights(out: Path) -> dict[str, Tensor]:
    """The weights of the newest checkpoint in a training folder.

    Raises:
        SourceError: there is none.
    """
    try:
        step = json.loads((out / "training.json").read_text())["step"]
        return load_file(out / f"model-{step}.safetensors")
    except FileNotFoundError as error:
        raise SourceError(f"{out}: no checkpoint in it", "name the --out folder of an earlier run") from error
