"""How quickly a run goes, and the line that says how far it is: on the terminal, in `octavo status` and on the page."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.run.pipeline import Step

_DONE = {"reading": "files read", "embedding": "chunks embedded", "ocr": "files read by OCR"}


class Pace:
    """Files or chunks a second, since the phase began that is going on: each phase has its own speed."""

    def __init__(self) -> None:
        self._phase, self._began, self._first = "", 0.0, 0

    def told(self, step: "Step") -> dict[str, Any]:
        """How far the run is. `rate` (a second) and `left` (seconds) are None until the phase is a second old."""
        now = time.monotonic()
        if step.phase != self._phase:
            self._phase, self._began, self._first = step.phase, now, step.done - 1
        rate = (step.done - self._first) / (now - self._began) if now > self._began + 1 else None
        left = round((step.total - step.done) / rate, 1) if rate else None
        told = {"phase": step.phase, "done": step.done, "total": step.total, "rate": rate and round(rate, 2), "left": left}
        return told | {"reading": step.reading, "waiting": step.waiting}


def line(told: Mapping[str, Any]) -> str:
    """What `Pace` told, as one would say it."""
    if told["phase"] == "publishing":
        return "building the index"
    speed = "" if told["left"] is None else f", {told['rate']:,.0f} a second, {_time(told['left'])} left"
    return f"{told['done']:,} of {told['total']:,} {_DONE[told['phase']]}{speed}"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
