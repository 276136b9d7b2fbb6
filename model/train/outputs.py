"""Where training writes: new files, and folders that are new or hold the run that goes on. Nothing else is written over or deleted.

A mistaken path on the command line may name a folder of downloaded weights, so each command asks here before it reads anything.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from model.errors import SourceError

STATE = "training.json"
"""In a run's folder: {"run": which command's run it is, "step": that of its checkpoint, "seconds": spent until then}."""


def check_run_folder(out: Path, run: str, *sources: Path | None) -> None:
    """Raises SourceError unless `out` is new, empty, or holds a run of this command, and is none of the `sources`."""
    hint = "name a new folder for the run"
    if any(source is not None and source.exists() and out.exists() and source.samefile(out) for source in sources):
        raise SourceError(f"{out}: is read from, so the run can't be written there", hint)
    if out.exists() and not out.is_dir():
        raise SourceError(f"{out}: is a file, not a folder", hint)
    if out.is_dir() and any(out.iterdir()) and not (out / STATE).exists():
        raise SourceError(f"{out}: isn't empty and holds no run of training, so nothing is written there", hint)
    if (found := read_state(out).get("run", run)) != run:
        raise SourceError(f"{out}: holds a run of model.train.{found}", hint)


def begin_run(out: Path, run: str, tokenizer: Path, rank: int) -> None:
    """Marks the folder as a run's, and puts the tokenizer of a checkpoint into it, so that the run is a checkpoint too."""
    if rank:
        return
    out.mkdir(parents=True, exist_ok=True)
    write_state(out, {"run": run, "step": 0, **read_state(out)})
    if tokenizer.is_dir():
        shutil.copyfile(tokenizer / "tokenizer.json", out / "tokenizer.json")


def read_state(out: Path) -> dict[str, Any]:
    """What STATE says; nothing where there is none.

    Raises:
        SourceError: it is damaged.
    """
    try:
        state: dict[str, Any] = json.loads((out / STATE).read_text(encoding="utf-8"))
        if isinstance(state.get("step"), int) and isinstance(state.get("seconds", 0.0), float):
            return state
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):
        pass
    raise SourceError(f"{out / STATE}: damaged", "name a new folder for the run")


def write_state(out: Path, state: dict[str, Any]) -> None:
    beside = out / f"{STATE}.tmp"
    beside.write_text(json.dumps(state))
    beside.replace(out / STATE)
