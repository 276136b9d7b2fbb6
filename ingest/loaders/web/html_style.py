"""How a page's styles change what is read: hidden parts, raised figures, lines that break without a tag.

Of its style sheets only plain rules count (`.note`, `p.note`, `#note`), outside `@media`: a rule that we can't follow hides nothing.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from bs4 import Tag

_AT = re.compile(r"@[\w-]++[^{};@]*+(?:;|\{(?:[^{}]++|\{[^{}]*+\})*+\})")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SELECTOR = re.compile(r"([a-z][a-z0-9]*)?((?:[.#][\w-]+)*)", re.IGNORECASE)
_TELLING = re.compile(r"display|visib|opacity|font|height|width|clip|position|left|top|indent|color|align|space|list", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_CLIPPED = re.compile(r"rect\((?:[01](?:px)?[, ]*){4}\)|inset\((?:50|100)%")
_BLOCKS = {"block", "flex", "grid", "list-item", "table", "table-row", "flow-root"}
_FAR = 900
"""Pixels out of the page at which text is put away: people write -9999px, screens are wider than a few hundred."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a tag's styles say. `invisible` and `tiny` hold for what is in it until an inner tag says otherwise; None: not said."""

    hidden: bool = False
    invisible: bool | None = None
    tiny: bool | None = None
    raised: bool = False
    lines: bool = False
    block: bool = False
    apart: bool = False
    numbers: str = ""


PLAIN = Look()


class Styles:
    """A page's own rules, and what they and a tag's attribute say of it together."""

    def __init__(self, sheets: list[str]) -> None:
        self._rules: dict[str, list[tuple[tuple[int, int, int], str, set[str], str]]] = defaultdict(list)
        order = 0
        for rule in "}".join(_AT.sub("", _COMMENT.sub("", sheet)) for sheet in sheets).split("}"):
            selectors, _, declarations = rule.partition("{")
            for selector in selectors.split(",") if _TELLING.search(declarations) else ():
                found = _SELECTOR.fullmatch(selector.strip())
                if found and found[0]:
                    order += 1
                    names = set(re.findall(r"[.#][\w-]+", found[2]))
                    weight = sum(name[0] == "#" for name in names), len(names), order
                    tag = (found[1] or "").lower()
                    self._rules[min(names, default=tag)].append((weight, tag, names, declarations))

    def of(self, tag: Tag) -> Look:
        inline = tag.get("style")
        if not self._rules:
            return look(str(inline)) if inline else PLAIN
        names = {f".{name}" for name in tag.get_attribute_list("class") if name} | ({f"#{tag['id']}"} if tag.has_attr("id") else set())
        fitting = [
            (weight, declarations)
            for key in (tag.name, *names)
            for weight, name, wanted, declarations in self._rules.get(key, ())
            if name in ("", tag.name) and wanted <= names
        ]
        if not fitting and not inline:
            return PLAIN
        return look(";".join([declarations for _, declarations in sorted(fitting)] + [str(inline or "")]))


@lru_cache(maxsize=4096)
def look(declarations: str) -> Look:
    """What declarations mean, later ones before earlier ones, and `!important` before both."""
    said: dict[str, str] = {}
    forced: dict[str, str] = {}
    for declaration in declarations.lower().split(";"):
        name, _, value = declaration.partition(":")
        value, mark, _ = value.partition("!")
        (forced if mark else said)[name.strip()] = value.strip()
    said |= forced
    display = said.get("display", "")
    size = said.get("font-size") or (said["font"] if said.get("font", "")[:1] == "0" else "")
    visibility = said.get("visibility")
    return Look(
        hidden=display == "none" or _is_put_away(said),
        invisible=None if visibility is None else visibility in ("hidden", "collapse"),
        tiny=None if not size else _number(size, 12) <= (1 if size.endswith(("px", "pt")) else 0),
        raised=said.get("vertical-align") in ("super", "text-top") or said.get("font-variant-position") == "super",
        lines=said.get("white-space", "").startswith(("pre", "break-spaces")),
        block=display in _BLOCKS,
        apart=display in ("inline-block", "inline-flex", "table-cell"),
        numbers=said.get("list-style-type") or said.get("list-style", ""),
    )


def _is_put_away(said: dict[str, str]) -> bool:
    """Whether text is there for programs alone: see-through, in a box of no height, or out of the page."""
    boxed = said.get("overflow", said.get("overflow-y", "")) in ("hidden", "clip")
    sizes = [said.get(name, "") for name in ("height", "width", "max-width")]
    color = said.get("color", "")
    return (
        (_number(said.get("opacity", ""), 1) == 0 and not any(name.startswith(("animation", "transition")) for name in said))
        or _number(said.get("max-height", ""), 1) == 0
        or (boxed and any(_number(size, 9) <= 1 for size in sizes))
        or any(_number(said.get(name, ""), 0) <= -_FAR for name in ("left", "top", "text-indent", "margin-left"))
        or bool(_CLIPPED.search(said.get("clip", "") + said.get("clip-path", "")))
        or color == "transparent"
        or (color != "" and color in (said.get("background-color"), said.get("background")))
        or said.get("content-visibility") == "hidden"
    )


def _number(value: str, default: float) -> float:
    """A length in pixels, as far as it can be told, or a bare number."""
    found = _NUMBER.match(value)
    return float(found[0]) * (16 if value.endswith("em") else 1) if found else default
