"""Pictures of text, through OCR: one page a picture, or a frame of it (scanners put several into one TIFF)."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from ingest.loaders import ocr as recognition
from ingest.loaders.parsed import LoadError, Parsed, clean
from ingest.loaders.spots import Block, Spots

_MOST_PIXELS = 600_000_000
"""Beyond this a picture doesn't fit the worker's memory."""
_SIDE = 3000
"""Pixels of the longer side that a JPEG is decoded to, where it has more: it can be had at half its size, and so on."""
_MOST_FRAMES = 1000


def load(path: Path, ocr: bool = False) -> Parsed:
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS // 2  # Pillow warns at this, and refuses at twice as much
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            if image.format == "GIF":
                frames = 1  # an animation, not pages
            else:
                frames = min(_MOST_FRAMES, getattr(image, "n_frames", 1))
            if not ocr:
                numbers = list(range(1, frames + 1))
                return Parsed("", pages=[(0, number) for number in numbers], scanned=numbers)
            return _read(image, frames)
    except Image.DecompressionBombError as error:
        raise LoadError("a picture too large to read") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise LoadError("not a readable picture: damaged, cut short, or another format") from error


def _read(image: Image.Image, frames: int) -> Parsed:
    text, pages, empty = "", list[int](), []
    spots, blocks = Spots(), []
    for number, frame in enumerate(_frames(image, frames)):
        pages.append(len(text))
        lines = recognition.find(frame)
        found, order = lines.text()
        found = clean(found).strip()
        blocks.append(Block(number, len(text), len(text) + len(found), [[len(spots) + place for place in order]]))
        words, boxes, ways, counts = lines.places(frame.shape[1], frame.shape[0])
        spots.add("\n".join(words), boxes, ways, counts)
        if found:
            text += found + "\n\n"
        else:
            empty.append(number + 1)
    if not text:
        raise LoadError("no text found in the picture")
    numbered = [(start, number) for number, start in enumerate(pages, 1)]
    return Parsed(text, numbered, ocr=[number for _, number in numbered], empty=empty, places=spots.packed(text, pages, blocks))


def _frames(image: Image.Image, frames: int) -> Iterator[recognition.Picture]:
    """Each frame upright as its camera noted, on white, as blue-green-red."""
    for index, frame in enumerate(ImageSequence.Iterator(image)):
        if index == frames:
            return
        if index == 0:
            frame.draft("RGB", (_SIDE, _SIDE))
        mode = {"1": "L", "P": "RGBA", "PA": "RGBA", "LA": "RGBA"}.get(frame.mode, frame.mode)
        page = frame if frames == 1 and mode == frame.mode else frame.convert(mode)  # a copy, or the next frame can't be sought
        page.thumbnail((_SIDE, _SIDE))
        page = ImageOps.exif_transpose(page) or page
        if page.mode == "RGBA":
            page = Image.alpha_composite(Image.new("RGBA", page.size, "white"), page)
        elif page.mode.startswith("I"):
            page = Image.fromarray((np.asarray(page).astype(np.float64) / 257).clip(0, 255).astype(np.uint8))
        yield np.ascontiguousarray(np.asarray(page.convert("RGB"))[:, :, ::-1])
