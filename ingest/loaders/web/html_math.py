"""Formulas in MathML on one line, as `linear` writes mathematics. A formula's TeX source, kept beside it, isn't read."""

from bs4 import NavigableString, Tag
from bs4.element import PreformattedString

from ingest.loaders.linear import fraction, raised, root
from ingest.loaders.web.html_table import holds

_UNSEEN = {"annotation", "annotation-xml", "mphantom", "none", "mprescripts"}
_INVISIBLE = dict.fromkeys(range(0x2061, 0x2065))
_ACCENTS = {"¯": "\u0304", "‾": "\u0304", "ˉ": "\u0304", "^": "\u0302", "ˆ": "\u0302", "~": "\u0303", "˜": "\u0303", "˙": "\u0307"}
_ACCENTS |= {"¨": "\u0308", "→": "\u20d7"}
_SUMS = set("∑∏∫∮⋃⋂")
_SPACED = set("=<>≤≥≠≈≡∈→⇒±×·+−-")


def formula(tag: Tag) -> str:
    """What a `math` element shows, on one line."""
    return " ".join(_read(tag).split())


def is_repeated(tag: Tag) -> bool:
    """Whether it is the drawing of a formula: programs that draw formulas keep each as MathML too."""
    if tag.get("aria-hidden") != "true" or tag.parent is None:
        return False
    drawn = any(str(name).startswith(("katex", "MathJax")) for name in tag.parent.get_attribute_list("class"))
    beside = (tag.previous_sibling, tag.next_sibling)
    return drawn and any(isinstance(one, Tag) and holds(one, {"math"}) for one in beside)


def _read(node: Tag | NavigableString) -> str:
    if not isinstance(node, Tag):
        return "" if isinstance(node, PreformattedString) else " ".join(node.translate(_INVISIBLE).split())
    name = node.name.rpartition(":")[2]
    if name in _UNSEEN:
        return ""
    if name in ("mi", "mn", "mo", "mtext", "ms"):
        return "".join(_read(inner) for inner in node.children) if name != "mtext" else node.get_text().replace("\n", " ")
    inner = [child for child in node.children if isinstance(child, Tag) or child.strip()]
    parts = [_read(child) for child in inner]
    first, second, third = [*parts, "", "", ""][:3]
    match name:
        case "semantics" | "maction":
            return first
        case "mfrac":
            return fraction(first, second) if node.get("linethickness") != "0" else f"({first} {second})"
        case "msup":
            return first + raised(second, first)
        case "msub":
            return first + second
        case "msubsup" if first not in _SUMS:
            return first + second + raised(third, first + second)
        case "msubsup" | "munderover":
            return f"{first}_({second})" + raised(third, ")") + " "
        case "munder":
            return f"{first} {second} "
        case "mover":
            return first + (_ACCENTS.get(second) or raised(second, first))
        case "msqrt":
            return root(_row(inner, parts))
        case "mroot":
            return root(first, second)
        case "mfenced":
            return str(node.get("open", "(")) + ", ".join(parts) + str(node.get("close", ")"))
        case "mspace":
            return " "
        case "mtable":
            return "; ".join(part for part in parts if part)
        case "mtr" | "mlabeledtr":
            return ", ".join(parts)
        case _:
            return _row(inner, parts)


def _row(inner: list[Tag | NavigableString], parts: list[str]) -> str:
    """Parts side by side; an operator between two of them is set off."""
    text = ""
    for place, (child, part) in enumerate(zip(inner, parts, strict=True)):
        operator = isinstance(child, Tag) and child.name.rpartition(":")[2] == "mo"
        between = operator and part in _SPACED and text and not text.endswith((" ", "(")) and place + 1 < len(parts)
        text += f" {part} " if between else part
    return text
