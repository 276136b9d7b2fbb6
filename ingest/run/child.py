"""Python in a process of its own, for work that may hang, crash or be killed: parsing, and all writing of an index.

A plain `python -m MODULE` rather than multiprocessing, whose spawn runs the parent's main script again: under streamlit
that would be the page itself.
"""

import ctypes
import errno
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ROOT = str(Path(__file__).resolve().parents[2])
_NOWHERE = "http://127.0.0.1:1"
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy")
_SYSCALLS = {"x86_64": (0xC000003E, 41, 42), "aarch64": (0xC00000B7, 198, 203)}
"""By processor: what seccomp calls it, and the numbers of socket and connect."""
_IO_URING_SETUP, _X32 = 425, 0x40000000


def python(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command `python -m module arguments` and its environment.

    It finds our packages wherever it is started, and nothing in the working directory: neither `-m` nor an empty entry of
    PYTHONPATH puts that on the search path.
    """
    search = [_ROOT, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return [sys.executable, "-P", "-m", module, *arguments], os.environ | {"PYTHONPATH": os.pathsep.join(search)}


def start(
    module: str, *arguments: str, pass_fds: Sequence[int] = (), stdin: int = subprocess.DEVNULL, **streams: Any
) -> subprocess.Popen[bytes]:
    """Starts `python -m module arguments` in a process of its own."""
    command, environment = python(module, *arguments)
    return subprocess.Popen(command, env=environment, pass_fds=pass_fds, stdin=stdin, **streams)


def end_with(parent: int, number: int = signal.SIGINT) -> None:
    """In the child: stops it, as Ctrl-C would, once its parent is gone. A parent that was killed can't do so itself."""
    if signal.getsignal(number) is signal.SIG_IGN:  # as a parent has it that was started in the background
        signal.signal(number, signal.default_int_handler)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), number)

    threading.Thread(target=watch, daemon=True).start()


def leave_network() -> None:
    """Takes the network from this process and from all that it starts, for good. To be called before it has threads.

    The kernel refuses every socket but Unix ones, and every connection to one of those: a desktop's D-Bus services would fetch
    a link for others. That needs no rights and changes nothing about files; a network namespace needs rights that Ubuntu and
    Docker withhold. Where there is no such filter, what is left is a proxy that nobody serves, for all that heed one.
    """
    os.environ.update({name: _NOWHERE for proxy in _PROXIES for name in (proxy, proxy.upper())})
    os.environ.update(no_proxy="", NO_PROXY="", DBUS_SESSION_BUS_ADDRESS="disabled:")
    if os.uname().machine not in _SYSCALLS:
        return
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in _filter(*_SYSCALLS[os.uname().machine]))
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(code)))
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    prctl(no_new_privileges, 1, 0, 0, 0)
    prctl(set_seccomp, mode_filter, ctypes.addressof(header), 0, 0)


def _filter(processor: int, socket_: int, connect: int) -> list[tuple[int, int, int, int]]:
    """A seccomp filter in BPF, an instruction a line: operation, lines to skip if true and if false, operand."""
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    number, architecture, first_argument = 0, 4, 16
    allowed, refused = 0x7FFF0000, 0x00050000 | errno.EACCES
    return [
        (load, 0, 0, architecture),
        (equal, 0, 7, processor),
        (load, 0, 0, number),
        (equal, 5, 0, connect),
        (equal, 4, 0, _IO_URING_SETUP),  # it opens sockets without the call
        (at_least, 3, 0, _X32),  # the same calls by other numbers
        (equal, 0, 3, socket_),
        (load, 0, 0, first_argument),
        (equal, 1, 0, socket.AF_UNIX),
        (give, 0, 0, refused),
        (give, 0, 0, allowed),
    ]
