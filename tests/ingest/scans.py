"""What a page shows without saying it: pictures of text, letters drawn as shapes, fonts that tell no letters."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.ingest.pages import HEIGHT, Page, picture_of

LEASE = [
    "The lease of the warehouse in Bergen",
    "begins on 1 March 2021 and ends on",
    "28 February 2026. The yearly rent is",
    "480 000 kroner, paid each quarter.",
]
PROSE = [f"This is line {number} of the report on the warehouse and its rent." for number in range(8)]


def scan_of(lines: list[str], size: tuple[int, int] = (1000, 420)) -> Image.Image:
    return picture_of("\n".join(lines), size)


def photo(size: tuple[int, int] = (300, 300)) -> Image.Image:
    """Hills of light and dark, and the grain of film."""
    y, x = np.mgrid[: size[1], : size[0]]
    hills = 128 + 60 * np.sin(x / 40) * np.cos(y / 55) + 30 * np.sin((x + y) / 17)
    return Image.fromarray((hills + np.random.default_rng(0).normal(0, 12, hills.shape)).clip(0, 255).astype(np.uint8))


def place(page: Page, picture: Image.Image, x: float, y: float, width: float, height: float) -> Page:
    """A picture within the page's content; y counts from the top, to the picture's upper edge."""
    head = f"q {width} 0 0 {height} {x} {page.box[1] - y - height} cm BI /W {picture.width} /H {picture.height} /CS /G /BPC 8 /F /AHx ID\n"
    page.content += head + picture.convert("L").tobytes().hex() + ">\nEI Q\n"
    return page


def outlined(page: Page, x: float, y: float, lines: list[str], size: int = 12) -> Page:
    """Letters as filled shapes, a path each."""
    font = ImageFont.load_default(size)
    for number, line in enumerate(lines):
        left = x
        for letter in line:
            mask = Image.new("L", (2 * size, 2 * size), 0)
            ImageDraw.Draw(mask).text((0, 0), letter, fill=255, font=font)
            bottom = page.box[1] - y - number * 1.5 * size
            spots = zip(*np.nonzero(np.asarray(mask) > 100), strict=True)
            shapes = [f"{left + column:.1f} {bottom - row:.1f} 1 1 re" for row, column in spots]
            page.content += " ".join([*shapes, "f\n"]) if shapes else ""
            left += font.getlength(letter)
    return page


GLYPHS = "<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Body /Encoding /Identity-H /DescendantFonts [6 0 R] >>"
GLYPHS_OF = (
    "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Body /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity)"
    " /Supplement 0 >> /DW 500 >>"
)
"""A font of glyph numbers, and its descendant, as objects 5 and 6: it has no /ToUnicode."""


def numbers(page: Page, x: float, y: float, line: str, order: dict[str, int] | None = None, size: float = 11) -> Page:
    """A line in glyph numbers, those of the usual order or others; /F9 must be a font of glyphs."""
    codes = [order[letter] if order else ord(letter) - 29 for letter in line]
    page.content += f"BT /F9 {size} Tf {x} {HEIGHT - y} Td <{''.join(f'{code:04X}' for code in codes)}> Tj ET\n"
    return page


def with_font(data: bytes) -> bytes:
    """A PDF's bytes with object 5 as the font /F9 of its pages."""
    return data.replace(b"/Font << /F1 3 0 R /F2 4 0 R >>", b"/Font << /F1 3 0 R /F9 5 0 R >>")
