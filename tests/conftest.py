"""What every test stands on: no network, real parts, the starter and the embedder loaded once."""

import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["LANGSMITH_TRACING"] = "false"

settings.register_profile("fast", max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("thorough", max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

ROOT = Path(__file__).resolve().parents[1]


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
