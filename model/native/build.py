"""Compiles the C beside this file once for each processor, and loads it.

The result is kept in the user's cache folder, which must be the user's own: what lies there is executed. Without GCC, or where anything
about it fails, there is no library, and the torch network is used: slower, with the same answers.
"""

import ctypes
import hashlib
import logging
import os
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from platformdirs import user_cache_path

_SOURCES = sorted(Path(__file__).parent.glob("*.[ch]"))
_COMPILE = "gcc -O3 -fopenmp -fno-math-errno -fno-trapping-math -fPIC -Wno-psabi -c".split()
_LIBRARIES = ["-lm"]  # and no OpenMP: threads are torch's
_log = logging.getLogger(__name__)


@cache
def library(target: tuple[str, ...] = ("-march=native",)) -> ctypes.CDLL | None:
    """The compiled functions, or None where there is no compiler for this processor.

    Args:
        target: GCC's options that name the processor; tests ask for lesser ones.
    """
    if not Path("/proc/cpuinfo").exists() or " avx2 " not in _processor():
        return None
    try:
        file = _folder() / f"{_key(target)}.so"
        if not file.exists():
            _compile(target, file)
        _share_openmp()
        return ctypes.CDLL(str(file))
    except (OSError, subprocess.SubprocessError) as error:
        _log.info("no C compiler for a faster engine: %s", error)
        return None


def _folder() -> Path:
    folder = user_cache_path("octavo") / "native"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_uid != os.getuid() or state.st_mode & 0o022:
        raise OSError(f"{folder} can be written by others")
    return folder


def _key(target: Sequence[str]) -> str:
    known = hashlib.sha256(" ".join([*_COMPILE, *target, *_LIBRARIES]).encode())
    for source in _SOURCES:
        known.update(source.read_bytes())
    known.update(_processor().encode())
    return known.hexdigest()[:32]


def _processor() -> str:
    """What the processor can do, as Linux lists it."""
    with Path("/proc/cpuinfo").open() as info:
        return next((line for line in info if line.startswith("flags")), "")


def _compile(target: Sequence[str], file: Path) -> None:
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        made = Path(folder)
        source = Path(__file__).with_name("network.c")
        for command in (
            [*_COMPILE, *target, str(source), "-o", str(made / "o")],
            ["gcc", "-shared", str(made / "o"), "-o", str(made / "so"), *_LIBRARIES],
        ):
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        (made / "so").replace(file)  # at once, so that another process finds all of it or nothing


def _share_openmp() -> None:
    """Makes the OpenMP that torch has loaded visible to a library that names none."""
    bundled = sorted((Path(torch.__file__).parent / "lib").glob("libgomp*"))
    ctypes.CDLL(str(bundled[0]) if bundled else "libgomp.so.1", ctypes.RTLD_GLOBAL)
