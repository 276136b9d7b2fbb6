"""What every test stands on: no network, real parts, the starter and the embedder loaded once."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ingest.index import build
from tests.nursery import ROOT, Nursery

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["LANGSMITH_TRACING"] = "false"

settings.register_profile("fast", max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("thorough", max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


INDEX = "from ingest.index import build; build.main(*arguments)"


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


@pytest.fixture(scope="session", autouse=True)
def in_a_process(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Indexes are built in a forked process: loading Chroma for each took minutes. What is put aside starts a real one."""

    def run_child(task: str, directory: Path, place: Path, argument: str) -> str:
        forked = nursery.fork(INDEX, tmp_path_factory.mktemp("index") / "output", task, str(directory), str(place), argument)
        while forked.runs():
            time.sleep(0.002)
        code, written = forked.wait(), forked.output.read_bytes()
        return build.told(code, written, written)

    real = build.run_child
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(build, "run_child", run_child)
        yield real


@pytest.fixture(scope="session")
def shared() -> Path:
    """Data that lies beside a developer's checkout, not in it."""
    directory = ROOT.parent / "shared"
    if not (directory / "data").is_dir():
        pytest.skip("the development data is not here")
    return directory


@pytest.fixture(scope="session")
def samples() -> Path:
    return ROOT / "data" / "samples"


@pytest.fixture(scope="session")
def sample_library(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a library of the samples, made once for all workers: open it to read, copy it to change it."""
    from ingest import Library

    base = tmp_path_factory.getbasetemp()
    place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    directory = place / "samples" / "library"
    with (place / "samples.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            with Library.open(making := directory.with_name("making"), create=True) as library:
                assert library.add([samples]).ok
            making.rename(directory)
    return directory
