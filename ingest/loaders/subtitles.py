"""Subtitles (srt, vtt): what is said, each cue with the time at which it starts."""

import re
from pathlib import Path

from ingest.loaders.encoding import decode
from ingest.loaders.parsed import Builder, Parsed, clean

_TIME = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,]\d+\s*-->")
_TAG = re.compile(r"<[^>\n]*>|\{\\[^}\n]*\}")


def load(path: Path) -> Parsed:
    builder = Builder()
    for cue in re.split(r"\n[ \t]*\n", clean(decode(path.read_bytes()))):
        lines = cue.strip().splitlines()
        at = next((number for number, line in enumerate(lines) if _TIME.match(line.strip())), None)
        if at is None:
            continue
        time = _TIME.match(lines[at].strip())
        assert time
        text = " ".join(_TAG.sub("", " ".join(lines[at + 1 :])).split())
        builder.line(f"[{int(time[1] or 0):02}:{int(time[2]):02}:{time[3]}] {text}" if text else "")
    return builder.parsed()
