"""This room's few settings, from the environment and one `.env`, and where libraries live.

Read when asked for, never at import: `octavo --help` opens no file.
"""

import re
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.errors import LibraryError

DATABASE = "library.sqlite3"
"""The file that makes a directory a library."""
UPLOADS = "files"
"""The folder in a library for files that were uploaded on the page."""


class Settings(BaseSettings):
    """`OCTAVO_HOME`, `OCTAVO_EMBEDDER` and `OCTAVO_PARSE_TIMEOUT`."""

    model_config = SettingsConfigDict(env_prefix="OCTAVO_", env_file=Path(__file__).resolve().parents[1] / ".env", extra="ignore")

    home: Path | None = None
    """Where libraries are kept; None: `data/` of a checkout, else the user's data folder."""
    embedder: str = "all-MiniLM-L6-v2"
    """Name or directory of a sentence-transformers model."""
    parse_timeout: float = 60.0
    """Seconds that reading one file may take."""

    def home_dir(self) -> Path:
        """The directory that holds `libraries/`."""
        if self.home is not None:
            return self.home.expanduser().resolve()
        checkout = Path(__file__).resolve().parents[1]
        if (checkout / "pyproject.toml").is_file() and (checkout / "data" / "samples").is_dir():
            return checkout / "data"
        from platformdirs import user_data_dir

        return Path(user_data_dir("octavo"))

    def library_dir(self, name_or_dir: str) -> Path:
        """The directory of a library given by name or by directory.

        Raises:
            LibraryError: it is neither a directory's path nor a plain name.
        """
        directory = Path(name_or_dir).expanduser()
        if "/" in name_or_dir or (name_or_dir.strip() and (directory / DATABASE).is_file()):
            return directory.resolve()
        return self.named_dir(name_or_dir)

    def named_dir(self, name: str) -> Path:
        """The directory of the library of this name, which is never a path.

        Raises:
            LibraryError: it is no plain name.
        """
        if not re.fullmatch(r"\w[\w .-]{0,63}", name):
            raise LibraryError(
                f"{name!r} can't be a library's name",
                "use letters, digits, '-', '_' and '.', or a directory with a '/' in it",
            )
        return self.home_dir() / "libraries" / name
