"""Plain text: as it is, in whatever encoding. Source code and settings too: their text is what people look for.

Logs and captured terminals colour their lines: what tells the terminal to do so, nobody sees.
"""

import re
from pathlib import Path

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Parsed, clean

_CODES = re.compile(
    r"\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|$)"  # titles and links of a window, up to their end
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, movements of the cursor
    r"|\x1b[ -/]*[0-~]"
    r"|[^\n\x08]\x08"  # bold and underlined as typewriters do it: x, back, x
    r"|[\x07\x0e\x0f]",
    re.MULTILINE,
)

_MARKS = "\x1b\x9b\x08\x07\x0e\x0f"


def load(path: Path) -> Parsed:
    return Parsed(without_codes(clean(decode(path.read_bytes()))))


def without_codes(text: str) -> str:
    """Text as a terminal shows it: without the codes that colour it (ECMA-48) or move the cursor."""
    return _CODES.sub("", text) if any(mark in text for mark in _MARKS) else text
