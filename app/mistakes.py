"""What an error says to its user: one line and a hint. A bug in Octavo is none of these, and keeps its traceback."""

import errno
import sqlite3


def as_mistake(error: Exception) -> tuple[str, str] | None:
    """(what happened, what to do), or None for what no user can mend."""
    from ingest.errors import IngestError
    from model.errors import ModelError
    from rag.errors import RagError

    if isinstance(error, IngestError | ModelError | RagError):
        return str(error), error.hint
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}", ""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"what is printed can't be written: {error.strerror}", ""
    if isinstance(error, sqlite3.Error):
        return f"the library can't be read or written: {error}", "is the disk full? `octavo verify` says what is damaged"
    if type(error).__name__ == "ValidationError" and type(error).__module__.startswith("pydantic"):
        field = error.errors()[0]  # type: ignore[attr-defined]
        name = str(field["loc"][0]).upper() if field["loc"] else "a setting"
        return f"setting {name if name.startswith('O') else 'OCTAVO_' + name}: {field['msg']}", ".env.example shows the settings"
    return None


def as_bug(error: Exception) -> tuple[str, str]:
    """What the page says of all other errors; their traceback goes to the terminal."""
    return f"Octavo failed ({type(error).__name__})", "what it was is in the terminal that it was started in"


def sentences(what: str, hint: str) -> str:
    """Both in running text."""
    return ". ".join(part[0].upper() + part[1:] for part in (what, hint) if part)
