"""Office files written by hand, for what the formats' own libraries can't write: tracked changes, notes, OLE containers."""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table", "style", "presentation")
)
ODF += ' xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
ODF += ' xmlns:dc="http://purl.org/dc/elements/1.1/"'


def write_zip(path: Path, members: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def write_docx(path: Path, body: str, **parts: str) -> Path:
    """A Word document of this body; other parts (numbering, footnotes, header1, ...) are given by name, without their root."""
    roots = {"footnotes": "footnotes", "endnotes": "endnotes", "comments": "comments", "numbering": "numbering", "styles": "styles"}
    roots |= {"settings": "settings"} | {name: "hdr" if name.startswith("header") else "ftr" for name in parts if name[-1].isdigit()}
    names = f'xmlns:w="{W}" xmlns:r="{R}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    names += ' xmlns:wps="urn:wps" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:a="urn:a" xmlns:pic="urn:pic" xmlns:m="urn:math"'
    relations = "".join(
        f'<Relationship Id="{name}" Type="{R}/{name.rstrip("0123456789")}" Target="{name}.xml"/>' for name in parts if name in roots
    )
    main = f'<Relationship Id="a" Type="{R}/officeDocument" Target="word/document.xml"/>'
    kinds = {"document": "document.main"} | {name: {"hdr": "header", "ftr": "footer"}.get(roots[name], name) for name in parts}
    types = "".join(f'<Override PartName="/word/{name}.xml" ContentType="{WORD}.{kind}+xml"/>' for name, kind in kinds.items())
    types += '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{TYPES}">{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{RELS}">{main}</Relationships>',
        "word/document.xml": f"<w:document {names}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{RELS}">{relations}</Relationships>',
    }
    members |= {f"word/{name}.xml": f"<w:{roots[name]} {names}>{xml}</w:{roots[name]}>" for name, xml in parts.items()}
    return write_zip(path, members)


def paragraph(text: str, properties: str = "") -> str:
    return f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def write_odf(path: Path, kind: str, body: str, automatic: str = "", styles: str = "") -> Path:
    """An OpenDocument file: `kind` is text, spreadsheet or presentation."""
    content = (
        f"<office:document-content {ODF}><office:automatic-styles>{automatic}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    root = f"<office:document-styles {ODF}>{styles}</office:document-styles>"
    return write_zip(path, {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content, "styles.xml": root})


def write_ole(path: Path, streams: dict[str, bytes]) -> Path:
    """Microsoft's compound file, with streams of at least 4096 bytes in sectors of 512; "a/b" is stream b in storage a."""
    folders = sorted({name.rpartition("/")[0] for name in streams} - {""})
    entries: list[tuple[str, int, bytes]] = [("Root Entry", 5, b"")]
    entries += [(folder, 1, b"") for folder in folders] + [(name, 2, data.ljust(4096, b"\0")) for name, data in streams.items()]
    sectors, starts = bytearray(), []
    fat: list[int] = []
    for _, _, data in entries:
        count = -(-len(data) // 512)
        starts.append(len(fat) if count else 0xFFFFFFFE)
        fat += [*range(len(fat) + 1, len(fat) + count), 0xFFFFFFFE] if count else []
        sectors += data.ljust(count * 512, b"\0")
    directory = len(fat)
    wide = -(-len(entries) // 4)
    fat += [*range(directory + 1, directory + wide), 0xFFFFFFFE]
    tables = -(-(len(fat) + 8) // 128)
    first = len(fat)
    fat += [0xFFFFFFFD] * tables
    for number, (name, kind, data) in enumerate(entries):
        inside = [index for index, (other, _, _) in enumerate(entries) if index and _parent(other, folders) == (name if number else "")]
        siblings = (
            [index for index in range(1, len(entries)) if _parent(entries[index][0], folders) == _parent(name, folders)] if number else []
        )
        following = [index for index in siblings if index > number]
        label = name.rpartition("/")[2].encode("utf-16-le")
        right = following[0] if following else 0xFFFFFFFF
        child = inside[0] if inside and kind != 2 else 0xFFFFFFFF
        sectors += label.ljust(64, b"\0") + struct.pack("<HBBIII", len(label) + 2, kind, 1, 0xFFFFFFFF, right, child)
        sectors += b"\0" * 36 + struct.pack("<IQ", starts[number], len(data))
    sectors += b"\0" * (wide * 512 - len(entries) * 128)
    sectors += struct.pack(f"<{tables * 128}I", *fat, *[0xFFFFFFFF] * (tables * 128 - len(fat)))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, tables, directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", *range(first, first + tables), *[0xFFFFFFFF] * (109 - tables))
    path.write_bytes(header + bytes(sectors))
    return path


def _parent(name: str, folders: list[str]) -> str:
    parent = name.rpartition("/")[0]
    return parent if parent in folders else ""
