"""Office files from before 2007 (doc, xls, ppt), and rarer kinds: LibreOffice turns them into what we read, where it is installed.

Where it isn't, `old_workbook` reads the values of workbooks.

LibreOffice fetches pictures that a document links to. The process that reads files has no network (`run.child.leave_network`); where
the kernel can't take it away, LibreOffice's own settings send it to a proxy that nobody serves.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from ingest.loaders.parsed import LoadError, Parsed

_SECONDS = 50
"""Less than the pipeline's own limit, so that LibreOffice is ended here, with all its processes."""
_INTO = {
    **dict.fromkeys((".doc", ".dot", ".wps", ".wpd", ".sxw", ".pages", ".hwp"), ("docx", "Word file")),
    **dict.fromkeys((".xls", ".xlt", ".xlsb", ".sxc", ".numbers"), ("xlsx", "Excel file")),
    **dict.fromkeys((".ppt", ".pps", ".pot", ".sxi", ".key"), ("pptx", "PowerPoint file")),
}
_PROXY = {"ProxyType": "2", "HTTPProxyName": "127.0.0.1", "HTTPProxyPort": "1", "HTTPSProxyName": "127.0.0.1", "HTTPSProxyPort": "1"}
_PROXY |= {"FTPProxyName": "127.0.0.1", "FTPProxyPort": "1", "NoProxy": ""}


def load(path: Path) -> Parsed:
    return convert(path, path.suffix.lower())


def convert(path: Path, suffix: str) -> Parsed:
    """Reads a file as one with this suffix, whatever its name says.

    Raises:
        LoadError: LibreOffice isn't there, or can't read it.
    """
    from ingest.loaders import libreoffice
    from ingest.loaders import load as load_any

    into, kind = _INTO[suffix]
    program = libreoffice()
    if program is None and suffix in (".xls", ".xlt", ".xlsb"):
        from ingest.loaders.sheets import old_workbook

        return old_workbook.load(path)
    if program is None:
        raise LoadError(f"an old {kind}: install LibreOffice, or save it as .{into}")
    with tempfile.TemporaryDirectory(prefix="octavo-") as folder:
        source = Path(folder) / f"document{suffix}"
        shutil.copyfile(path, source)
        profile = _profile(Path(folder) / "profile")
        command = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nolockcheck"]
        _run([*command, "--convert-to", into, "--outdir", str(Path(folder) / "out"), str(source)])
        made = Path(folder) / "out" / f"document.{into}"
        if not made.is_file():
            raise LoadError(f"not a readable old {kind}: LibreOffice can't open it (damaged, or encrypted)")
        return load_any(made)


def _profile(directory: Path) -> Path:
    """Settings of LibreOffice's for this one document."""
    (directory / "user").mkdir(parents=True)
    item = '<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInet{}" oor:op="fuse"><value>{}</value></prop></item>'
    settings = "".join(item.format(name, value) for name, value in _PROXY.items())
    namespaces = 'xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    (directory / "user" / "registrymodifications.xcu").write_text(f"<oor:items {namespaces}>{settings}</oor:items>")
    return directory


def _run(command: list[str]) -> None:
    """Runs LibreOffice in a process group of its own: it is a script that starts others, and all have to end."""
    if shutil.which("timeout"):  # it ends LibreOffice even where this process was killed meanwhile
        command = ["timeout", "-k", "1", str(_SECONDS), *command]
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(command, start_new_session=True, stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"LibreOffice took more than {_SECONDS} s to open it") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
