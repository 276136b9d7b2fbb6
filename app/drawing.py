"""A page of a PDF as a picture, drawn in a process of its own.

PDFium is C++ and draws what strangers wrote: 1 kB can keep it busy for ever, take all memory, or crash it. Then that page
isn't shown, and nothing else suffers.
"""

import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore, Lock

from ingest.run import child
from ingest.run.limits import memory_each

SECONDS = 20
_AT_ONCE = BoundedSemaphore(4)
"""Drawings that go on at a time: each may take memory up to its limit."""
_LONGEST = 1600
"""Pixels of a picture's longer side."""


_coming: dict[tuple[Path, str, int], Future[bytes | None]] = {}
_looking = Lock()


def draw(file: Path, stamp: str, page: int) -> bytes | None:
    """A page, counted from 1, as PNG; None where it can't be drawn within the limits.

    The last ones are remembered, failures too, and who asks for one that is being drawn waits for it. `stamp` is the file's size and
    times: a changed file is drawn anew.
    """
    asked = file, stamp, page
    with _looking:
        is_first = asked not in _coming
        coming = _coming.setdefault(asked, Future())
    if is_first:
        try:
            coming.set_result(_drawn(*asked))
        except BaseException as error:
            coming.set_exception(error)
        finally:
            with _looking:
                del _coming[asked]
    return coming.result()


@lru_cache(maxsize=32)
def _drawn(file: Path, stamp: str, page: int) -> bytes | None:
    arguments = [os.fsencode(file).hex(), str(page)]
    with _AT_ONCE, child.start("app.drawing", *arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            picture, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return None
    return picture if process.returncode == 0 else None


# In the drawing process


def _confine() -> None:
    """No network, and limits of time, should the parent be killed meanwhile, and of memory."""
    child.leave_network()
    signal.alarm(SECONDS + 5)
    memory = memory_each(1)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def main() -> None:
    """Draws the page of a file, both in the arguments, to stdout."""
    _confine()
    import pypdfium2

    name, page = sys.argv[1:]
    with pypdfium2.PdfDocument(Path(os.fsdecode(bytes.fromhex(name)))) as document:
        sheet = document[int(page) - 1]
        picture = sheet.render(scale=min(2.0, _LONGEST / max(sheet.get_size()))).to_pil()
    picture.save(sys.stdout.buffer, "PNG")


if __name__ == "__main__":
    main()
