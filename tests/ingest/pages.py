"""PDF pages drawn by hand, so that a test says what stands where."""

import hashlib
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 595, 842
Turn = tuple[int, int, int, int]
_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


@dataclass
class Page:
    """Content operators, and what else its dictionary has; y counts from the top."""

    content: str = ""
    extra: str = ""
    picture: Image.Image | None = None
    box: tuple[int, int] = (WIDTH, HEIGHT)
    objects: list[str] = field(default_factory=list)

    def text(
        self, x: float, y: float, text: str, size: float = 11, bold: bool = False, turn: tuple[int, int, int, int] = (1, 0, 0, 1)
    ) -> "Page":
        a, b, c, d = turn
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        self.content += f"BT /F{2 if bold else 1} {size} Tf {a} {b} {c} {d} {x} {self.box[1] - y} Tm ({escaped}) Tj ET\n"
        return self

    def letters(self, x: float, y: float, text: str, size: float = 11) -> "Page":
        """Text of any script, from left to right; letters below U+1100 are half as wide as the others."""
        self.content += f"BT /F3 {size} Tf 1 0 0 1 {x} {self.box[1] - y} Tm <{text.encode('utf-16-be').hex()}> Tj ET\n"
        return self

    def lines(self, x: float, y: float, lines: list[str], size: float = 11, pitch: float = 14) -> "Page":
        for number, line in enumerate(lines):
            self.text(x, y + number * pitch, line, size)
        return self

    def rule(self, x0: float, y0: float, x1: float, y1: float) -> "Page":
        self.content += f"{x0} {self.box[1] - y0} m {x1} {self.box[1] - y1} l S\n"
        return self

    def grid(self, xs: list[float], ys: list[float]) -> "Page":
        for x in xs:
            self.rule(x, ys[0], x, ys[-1])
        for y in ys:
            self.rule(xs[0], y, xs[-1], y)
        return self


def picture_of(text: str, size: tuple[int, int] = (1240, 1754), letters: int = 36) -> Image.Image:
    """A scanned page: black letters on white."""
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).multiline_text((80, 100), text, fill=0, font=ImageFont.load_default(letters), spacing=20)
    return image


def write(path: Path, pages: list[Page], catalog: str = "", password: bytes | None = None, more: list[str] | None = None) -> None:
    """Writes pages; with `password` (b"" too) encrypted under it. `more` are objects that `catalog` names, from number 5 on."""
    fixed = [
        "",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
    ]
    objects: list[tuple[str, bytes | None]] = [(body, None) for body in [*fixed, *(more or [])]]
    kids = []
    font = ""
    if any("/F3 " in page.content for page in pages):
        objects += _any_script(len(objects) + 1)
        font = f" /F3 {len(objects) - 2} 0 R"
    for page in pages:
        images = ""
        content = page.content
        if page.picture is not None:
            picture = page.picture.convert("L")
            data = zlib.compress(picture.tobytes())
            head = f"/Type /XObject /Subtype /Image /Width {picture.width} /Height {picture.height} /ColorSpace /DeviceGray"
            objects.append((f"<< {head} /BitsPerComponent 8 /Filter /FlateDecode /Length {len(data)} >>", data))
            images = f"/XObject << /I {len(objects)} 0 R >>"
            content = f"q {page.box[0]} 0 0 {page.box[1]} 0 0 cm /I Do Q\n" + content
        data = content.encode("latin-1")
        objects.append((f"<< /Length {len(data)} >>", data))
        contents = len(objects)
        annotations = []
        for body in page.objects:
            objects.append((body, None))
            annotations.append(f"{len(objects)} 0 R")
        listed = f"/Annots [{' '.join(annotations)}]" if annotations else ""
        objects.append((
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page.box[0]} {page.box[1]}] /Contents {contents} 0 R {listed} {page.extra}"
            f" /Resources << /Font << /F1 3 0 R /F2 4 0 R{font} >> {images} >> >>", None,
        ))  # fmt: skip
        kids.append(f"{len(objects)} 0 R")
    objects[0] = (f"<< /Type /Catalog /Pages 2 0 R {catalog} >>", None)
    objects[1] = (f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>", None)
    path.write_bytes(_file(objects, password))


def _any_script(number: int) -> list[tuple[str, bytes | None]]:
    """A font whose codes are UTF-16; the first of its three objects has that number."""
    cmap = b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
    cmap += b"1 beginbfrange <0000> <FFFF> <0000> endbfrange endcmap end"
    head = "/Type /Font /BaseFont /Any"
    return [
        (f"<< {head} /Subtype /Type0 /Encoding /Identity-H /DescendantFonts [{number + 1} 0 R] /ToUnicode {number + 2} 0 R >>", None),
        (f"<< {head} /Subtype /CIDFontType2 /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
         " /DW 1000 /W [0 4351 500] >>", None),
        (f"<< /Length {len(cmap)} >>", cmap),
    ]  # fmt: skip


def _file(objects: list[tuple[str, bytes | None]], password: bytes | None) -> bytes:
    key, lock = b"", ""
    if password is not None:
        key, lock = _encryption(password)
    data, offsets = bytearray(b"%PDF-1.5\n"), []
    for number, (head, stream) in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{head}".encode("latin-1")
        if stream is not None:
            if key:
                salted = hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10]
                stream = _rc4(salted, stream)
            data += b"\nstream\n" + stream + b"\nendstream"
        data += b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {lock} >>\nstartxref\n{len(data)}\n%%EOF\n".encode()
    return bytes(data) + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def _encryption(password: bytes) -> tuple[bytes, str]:
    """The key and the trailer's part of PDF's first encryption (40 bits of RC4)."""
    padded = (password + _PADDING)[:32]
    owner = _rc4(hashlib.md5((b"owner" + _PADDING)[:32]).digest()[:5], padded)
    name = b"0123456789abcdef"
    key = hashlib.md5(padded + owner + (-4).to_bytes(4, "little", signed=True) + name).digest()[:5]
    user = _rc4(key, _PADDING)
    lock = f"/Filter /Standard /V 1 /R 2 /P -4 /O <{owner.hex()}> /U <{user.hex()}>"
    return key, f"/Encrypt << {lock} >> /ID [<{name.hex()}> <{name.hex()}>]"


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    found = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        found.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(found)
