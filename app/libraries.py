"""Libraries on the page: renamed, deleted, backed up. What goes on in one is in the way, and said; nothing is lost."""

import shutil
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from app import following, resources
from ingest import Settings
from ingest.store.backup import export_library
from ingest.store.moving import delete_library, rename_library, sweep

_BACKUP = ".backup-"


def rename(name: str, new: str) -> None:
    """Gives a library another name.

    Raises:
        LibraryBusy: something goes on in it.
        LibraryError: it can't be called so, or another one is.
    """
    target = Settings().named_dir(new)
    try:
        rename_library(resources.settle(name), target)
    finally:
        following.heed(name)
    following.heed(new)


def delete(name: str) -> None:
    """Deletes a library, for good.

    Raises:
        LibraryBusy: something goes on in it.
    """
    try:
        delete_library(resources.settle(name))
    finally:
        following.heed(name)


def backup(name: str) -> FileResponse:
    """A library in one file, as `octavo import` brings it back; what was written for it goes once it is sent."""
    home = Settings().home_dir()
    place = TemporaryDirectory(dir=home, prefix=_BACKUP)
    file = Path(place.name) / "backup.octavo"
    export_library(Settings().named_dir(name), file)
    download = f"{name} {date.today():%Y-%m-%d}.octavo"
    return FileResponse(file, media_type="application/octet-stream", filename=download, background=BackgroundTask(place.cleanup))


def tidy() -> None:
    """Takes away what a server that was killed left of backups and deletions."""
    home = Settings().home_dir()
    sweep(home / "libraries")
    for left in home.glob(f"{_BACKUP}*"):
        shutil.rmtree(left, ignore_errors=True)
