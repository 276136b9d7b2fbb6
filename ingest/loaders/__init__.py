"""One registry: a file's suffix names the function that reads it. A new format is one file and one line here.

Loaders are named, not imported, so that planning an ingest imports no parser; only the worker process calls `load`.
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from ingest.loaders.parsed import MOST_TEXT, UNLOCKED, LoadError, Locked, Parsed, check_length

_CODE = """
ada adoc asm astro awk bash bat bib c cc cfg clj cljs cmake cmd conf cpp cs csh css cts cu cxx d dart diff el elm erl ex exs f f90 fish
for fs fsx gd glsl go gql gradle graphql groovy h hcl hh hpp hrl hs hxx ini inl ino java jl js jsonc jsx kt kts less lisp log lua
m make mjs mk ml mli mm mts nim nix org pas patch php pl pm po pot proto ps1 psm1 py pyi pyx r rake rb rkt rs sass scala scm scss sh
sol sql sty sv svelte swift tcl tex toml ts tsx v vb vbs vhd vhdl vim vue wiki yaml yml zig zsh
""".split()
"""Kinds of text that stay as they are: source code, settings, logs."""

SUFFIXES = {
    **{f".{kind}": "text" for kind in ("txt", "text", *_CODE)},
    **dict.fromkeys((".md", ".markdown", ".mdx", ".qmd", ".rmd"), "markdown"),
    ".rst": "rst",
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".mhtml", ".mht"), "mhtml"),
    ".pdf": "pdf",
    **dict.fromkeys((".docx", ".docm", ".dotx", ".dotm"), "docx"),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"), "pptx"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx", ".xltm"), "xlsx"),
    **dict.fromkeys((".odt", ".ott", ".ods", ".ots", ".odp", ".otp", ".odg"), "odf"),
    **dict.fromkeys((".doc", ".dot", ".xls", ".xlt", ".xlsb", ".ppt", ".pps"), "legacy"),
    ".rtf": "rtf",
    ".epub": "epub",
    **dict.fromkeys((".csv", ".tsv", ".tab"), "delimited"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson", ".geojson"), "structured"),
    **dict.fromkeys((".xml", ".rss", ".atom"), "xmltext"),
    ".xmlss": "spreadsheetml",
    ".wordml": "wordml",
    **dict.fromkeys((".eml", ".mbox"), "mail"),
    ".msg": "outlook",
    **dict.fromkeys((".ics", ".ifb", ".vcf", ".vcard"), "contentlines"),
    ".ipynb": "notebook",
    **dict.fromkeys((".srt", ".vtt"), "subtitles"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif"), "image"),
}


_HOMES = {
    "pdf": "pdf.document",
    "mail": "mail.message",
    "outlook": "mail.outlook",
    **{name: f"office.{name}" for name in ("docx", "pptx", "odf", "rtf", "wordml", "legacy")},
    **{name: f"sheets.{name}" for name in ("xlsx", "spreadsheetml", "delimited")},
    **{name: f"web.{name}" for name in ("html", "mhtml", "epub", "markdown", "notebook", "xmltext")},
}
"""Modules of the loaders that stand in a room."""

_VERSION = "4"
"""Of what the loaders can read: a higher one tries files again that failed."""
WITH_OCR = {"pdf", "image"}
"""Loaders that can read pictures of text, when asked to."""
OCR_CURE = "`pip install 'octavo[ocr]'` reads them"


_IN_PARTS = {"pdf", "docx", "pptx", "xlsx", "odf", "epub", "image", "legacy", "outlook"}
"""Loaders that don't take a file's bytes into memory all at once."""
_LARGEST, _LARGEST_MAIL = 4 * MOST_TEXT, 1 << 30
"""Bytes that the others may take: more than a document's longest text can have; mail also has attachments."""


def kind(path: Path) -> str | None:
    """The name of the loader that reads a file, None where there is none."""
    return SUFFIXES.get(path.suffix.lower())


def readers() -> str:
    """What can be read here and now: where it changes, files that failed are tried again."""
    found = {"ocr": ocr_installed(), "office": libreoffice()}
    return " ".join([_VERSION, *(name for name, there in found.items() if there)])


def ocr_installed() -> bool:
    """Whether the optional extra `ocr` is there; asked without loading it."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def libreoffice() -> str | None:
    """LibreOffice's command, where it is installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def module_of(name: str) -> ModuleType:
    """The module of a loader; importing it imports its parser."""
    return import_module(f"ingest.loaders.{_HOMES.get(name, name)}")


def load(path: Path, ocr: bool = False, passwords: Sequence[str] = ()) -> Parsed:
    """Reads one file, by what it is where its bytes are certain.

    Args:
        ocr: also read scanned pages, which takes seconds a page.
        passwords: what may open it if it is encrypted.

    Raises:
        Locked: only its password opens it, which is none of these.
        LoadError: the file can't be read, or holds no text; its message is one line for the receipt.
    """
    if ocr and not ocr_installed():
        raise LoadError(f"scanned: {OCR_CURE}")
    try:
        return _load(path, ocr)
    except Locked as locked:
        for password in filter(None, passwords):
            with suppress(Locked):
                parsed = _load(path, ocr, password)
                parsed.notes.append(UNLOCKED)
                return parsed
        raise Locked(tried=bool(passwords)) from locked


def _load(path: Path, ocr: bool, password: str | None = None) -> Parsed:
    from ingest.loaders.sniff import true_suffix

    try:
        suffix = true_suffix(path, path.suffix.lower())
    except Locked:
        if password is None:
            raise
        from ingest.loaders.office.unlocked import unlocked

        with unlocked(path, password) as plain:
            return _load(plain, ocr)
    name = SUFFIXES[suffix]
    size, largest = path.stat().st_size, _LARGEST_MAIL if name == "mail" else _LARGEST
    if name not in _IN_PARTS and size > largest:
        raise LoadError(f"too big: {size >> 20:,} MB, of at most {largest >> 20:,} MB that such a file may have")
    module = module_of(name)
    try:
        if name == "legacy":
            parsed: Parsed = module.convert(path, suffix)
        else:
            options = {"ocr": True} if ocr and name in WITH_OCR else {}
            parsed = module.load(path, **options | ({"password": password} if name == "pdf" else {}))
    except RecursionError as error:
        raise LoadError("nested too deeply to be read") from error
    if not parsed.text.strip() and not parsed.scanned:
        raise LoadError("no text in it")
    check_length(len(parsed.text))
    return parsed
