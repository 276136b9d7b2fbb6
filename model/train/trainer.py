"""The training loop of distilling and tuning: learning rate, optimizers, checkpoints, several GPUs.

A batch is a function of its step's number alone, so a run that was stopped goes on to the very weights that it would have had, and
one of so many minutes goes on with those that are left. Checkpoints are safetensors and JSON, never pickle. Under torchrun each
process computes its own rows of a batch, and gradients are averaged.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch import distributed as dist

from model.config import Gemma2Config
from model.errors import SourceError, TrainingError
from model.gemma2 import Gemma2
from model.load.checkpoint import build_network
from model.load.gguf import read_gguf
from model.load.safetensors import read_json, read_tensors
from model.train.muon import Muon
from model.train.outputs import read_state, write_state
from model.train.teacher import Teacher

Loss = Callable[[int], tuple[Tensor, int]]
"""step -> (mean loss over this process's rows, tokens read)"""

Network = Gemma2 | Teacher

WEIGHTS = "model.safetensors"
"""In a run's folder: the newest weights in bf16 under Hugging Face's names, so that other programs open the folder."""


@dataclass(frozen=True)
class Ranks:
    """This process among those that torchrun started."""

    device: torch.device
    rank: int = 0
    count: int = 1


@contextmanager
def ranks() -> Iterator[Ranks]:
    """Joins the process group, one process a GPU, where torchrun started several."""
    here = Ranks(torch.device("cpu"), int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
    if torch.cuda.is_available():
        here = Ranks(torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))), here.rank, here.count)
        torch.cuda.set_device(here.device)
    if here.count > 1:
        dist.init_process_group("cpu:gloo,cuda:nccl" if here.device.type == "cuda" else "gloo")
    try:
        yield here
        if dist.is_initialized():
            dist.barrier()  # one that ends while another saves can abort it
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def learning_rate(step: int, progress: float, peak: float, end: float = 0.0, warmup: int = 100, decay: float = 0.25) -> float:
    """Linear warm-up, constant, then linear decay to `end` * peak over the last `decay` of the run.

    Args:
        progress: 0 to 1, how much of the run is over. A constant stretch resumes better than a cosine.
    """
    return peak * min(1.0, (step + 1) / warmup, end + (1.0 - end) * (1.0 - progress) / decay)


def optimizers_for(network: Network, peak: float, muon: bool) -> list[torch.optim.Optimizer]:
    """AdamW with weight decay on matrices; with `muon` the layers' matrices go to Muon, scaled so that one learning rate suits both."""
    fused = next(network.parameters()).is_cuda
    layers = [p for p in network.layers.parameters() if p.dim() > 1] if muon else []
    matrices = [p for p in network.parameters() if p.dim() > 1 and all(p is not q for q in layers)]
    others = [p for p in network.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.95), fused=fused)
    return [adam, Muon(layers, lr=peak)] if muon else [adam]


def take_step(network: Network, optimizers: list[torch.optim.Optimizer], loss: Tensor, rate: float) -> None:
    """One step down the gradients of a loss, averaged over all processes."""
    torch.autograd.backward(loss)
    average_gradients(network)
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def train(
    network: Network,
    loss_at: Loss,
    *,
    out: Path,
    steps: int,
    peak: float,
    minutes: float | None = None,
    end: float = 0.0,
    muon: bool = False,
    card: dict[str, str] | None = None,
    save_minutes: float = 5.0,
) -> None:
    """Trains from the checkpoint in `out`, where there is one, until step `steps` or for `minutes` in all; saves into `out`.

    Args:
        loss_at: the loss on a step's batch.
        peak: the highest learning rate, `end` times which is the last one.
        muon: Muon instead of AdamW for the layers' matrices.
        card: what the model says of itself, for its config.json.

    Raises:
        SourceError: the checkpoint in `out` can't be gone on from.
        TrainingError: the weights became no numbers.
    """
    network.train().requires_grad_(True)
    optimizers = optimizers_for(network, peak, muon)
    step = first = resume(network, optimizers, out)
    if dist.is_initialized():  # processes begin with weights equal to the bit, however each came by its own
        for p in network.parameters():
            dist.broadcast(p.data, 0)
    chief = not dist.is_initialized() or dist.get_rank() == 0
    since = saved = time.monotonic()
    began = since - read_state(out).get("seconds", 0.0)
    read, recent = 0, 0.0
    while True:
        progress = from_first_process(step / steps if minutes is None else (time.monotonic() - began) / (60 * minutes))
        if progress >= 1.0:
            break
        loss, tokens = loss_at(step)
        take_step(network, optimizers, loss, learning_rate(step, progress, peak, end))
        step += 1
        read += tokens * (dist.get_world_size() if dist.is_initialized() else 1)
        if chief and (step % 50 == 0 or step == steps):
            value = loss.item()
            recent = value if not recent else 0.8 * recent + 0.2 * value
            now = time.monotonic()
            left = (steps - step) * (now - since) / 3000 if minutes is None else minutes - (now - began) / 60
            # speed is that of the last 50 steps: the first ones compile
            of = f"/{steps}" if minutes is None else ""
            print(f"step {step}{of}  loss {recent:.4f}  {read / (now - since):,.0f} tokens/s  {left:.1f} min left", flush=True)
            since, read = now, 0
        if chief and time.monotonic() - saved >= 60 * save_minutes:
            save(network, optimizers, out, step, card, time.monotonic() - began)
            saved = time.monotonic()
    if chief and step > first:
        save(network, optimizers, out, step, card, time.monotonic() - began)


def from_first_process(value: float) -> float:
    """Broadcasts a value: clocks differ, and processes that disagree on the learning rate or on the end would drift or hang."""
    if not dist.is_initialized():
        return value
    shared = torch.tensor(value, dtype=torch.float64)
    dist.broadcast(shared, 0)
    return shared.item()


def average_gradients(network: Network) -> None:
    """One all-reduce of all gradients. Overlapping it with the backward pass would gain 1 % of the time."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def checkpoint_files(out: Path, step: int) -> tuple[Path, Path]:
    """The weights of a step in fp32, and the optimizers' moments."""
    return out / f"model-{step}.safetensors", out / f"optimizer-{step}.safetensors"


def save(
    network: Network, optimizers: list[torch.optim.Optimizer], out: Path, step: int, card: dict[str, str] | None, seconds: float = 0.0
) -> None:
    """Writes the checkpoint of a step, reached after so many seconds, whole or not at all, then deletes the one before it.

    Files are written beside their place and renamed, the step's number last. The card goes into config.json, where other
    programs ignore it.

    Raises:
        TrainingError: the weights are no numbers.
    """
    if not all(bool(p.isfinite().all()) for p in network.parameters()):
        raise TrainingError(f"the weights are no numbers any more at step {step}; {out} keeps the checkpoint before", "try a lower --lr")
    out.mkdir(parents=True, exist_ok=True)
    weights_file, moments_file = checkpoint_files(out, step)
    weights = {name: p.detach().contiguous() for name, p in network.named_parameters()}
    states = {p: state for optimizer in optimizers for p, state in optimizer.state.items()}
    moments: dict[str, Tensor] = {}
    for name, p in network.named_parameters():
        for key, value in states.get(p, {}).items():
            moments[f"{key}/{name}"] = value.detach().contiguous()
    small = {name if name.startswith(("model.", "lm_head.")) else f"model.{name}": w.to(torch.bfloat16) for name, w in weights.items()}
    for tensors, file in ((weights, weights_file), (moments, moments_file), (small, out / WEIGHTS)):
        beside = file.with_name(f"{file.name}.tmp")
        save_file(tensors, beside)
        beside.replace(file)
    (out / "config.json").write_text(json.dumps({**network.config.to_dict(), **({"octavo": card} if card else {})}, indent=1))
    state = read_state(out)
    write_state(out, {**state, "step": step, "seconds": seconds})
    if state.get("step", step) != step:
        for old in checkpoint_files(out, state["step"]):
            old.unlink(missing_ok=True)


def resume(network: Network, optimizers: list[torch.optim.Optimizer], out: Path) -> int:
    """Loads the checkpoint in `out`, where there is one; returns the step to go on with.

    Raises:
        SourceError: it can't be read, or is of another network or optimizer.
    """
    step: int = read_state(out).get("step", 0)
    if not step:
        return 0
    hint = "give the options of its first run, or name a new folder"
    try:
        network.load_state_dict(load_weights(out))
        moments = load_file(checkpoint_files(out, step)[1])
    except RuntimeError as error:
        raise SourceError(f"{out}: holds a run of another network", hint) from error
    except (OSError, SafetensorError) as error:
        raise SourceError(f"{out}: its checkpoint of step {step} can't be read ({error})", "name a new folder") from error
    names = {p: name for name, p in network.named_parameters()}
    for optimizer in optimizers:
        for p in [p for group in optimizer.param_groups for p in group["params"]]:
            keys = [key for key in moments if key.partition("/")[2] == names[p]]
            optimizer.state[p] = {key.partition("/")[0]: moments[key].to(p.device) for key in keys}
            if ("momentum_buffer" in optimizer.state[p]) != isinstance(optimizer, Muon):
                raise SourceError(f"{out}: holds a run of another optimizer", hint)
    return step


def read_student(source: Path, backend: str = "blocked") -> Gemma2:
    """The student in a folder (a run's, or any Gemma 2 in Hugging Face's layout) or a GGUF file, in fp32.

    Raises:
        SourceError: there is none, or it can't be read.
    """
    if source.is_file():
        checkpoint = read_gguf(source)
        config, tensors = checkpoint.config, checkpoint.tensors()
    else:
        file = source / "config.json"
        config, tensors = Gemma2Config.from_dict(read_json(file), str(file)), read_tensors(source)
    student = Gemma2(config, backend)
    student.load_state_dict(build_network(config, tensors, str(source), torch.device("cpu"), torch.float32).state_dict())
    return student


def load_weights(out: Path) -> dict[str, Tensor]:
    """The weights of the newest checkpoint in a training folder.

    Raises:
        SourceError: there is none.
    """
    try:
        return load_file(checkpoint_files(out, read_state(out).get("step", 0))[0])
    except FileNotFoundError as error:
        raise SourceError(f"{out}: no checkpoint in it", "name the --out folder of an earlier run") from error
