"""How a page's styles change what is read: hidden parts, raised figures, lines that break without a tag.

Of its style sheets only plain rules count (`.note`, `p.note`, `#note`, `.mail .note`, `div > p`), for any screen: a rule that we can't
follow hides nothing.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from bs4 import Tag

from ingest.loaders.office.symbols import is_symbol_font

_SCREEN = re.compile(r"@media\s+(?:only\s+)?(?:screen|all)\s*\{((?:[^{}]++|\{[^{}]*+\})*+)\}", re.IGNORECASE)
_AT = re.compile(r"@[\w-]++[^{};@]*+(?:;|\{(?:[^{}]++|\{[^{}]*+\})*+\})")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SELECTOR = re.compile(r"([a-z][a-z0-9]*)?((?:[.#][\w-]+)*)", re.IGNORECASE)
_STEP = re.compile(r"\s*>\s*|\s+")
_TELLING = re.compile(r"display|visib|opacity|font|height|width|clip|position|left|top|indent|color|align|space|list", re.IGNORECASE)
_COUNTER = re.compile(r"""content\s*:\s*([^;]*\bcounters?\([^;]*)""", re.IGNORECASE)
_BEFORE = re.compile(r"::?before$", re.IGNORECASE)
_SIZED = re.compile(r"^.*?\d[\w.%]*(?:/\S+)?\s+")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_CLIPPED = re.compile(r"rect\((?:[01](?:px)?[, ]*){4}\)|inset\((?:50|100)%")
_BLOCKS = {"block", "flex", "grid", "list-item", "table", "table-row", "flow-root"}
_FAR = 900
"""Pixels out of the page at which text is put away: people write -9999px, screens are wider than a few hundred."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a tag's styles say. `invisible`, `tiny` and `font` hold for what is in it until an inner tag says otherwise; None: not said."""

    hidden: bool = False
    invisible: bool | None = None
    tiny: bool | None = None
    raised: bool = False
    lines: bool = False
    block: bool = False
    apart: bool = False
    numbers: str = ""
    font: str | None = None


PLAIN = Look()


class Styles:
    """A page's own rules, and what they and a tag's attribute say of it together."""

    def __init__(self, sheets: list[str]) -> None:
        self._rules: dict[str, list[_Rule]] = defaultdict(list)
        self._counters: dict[str, list[_Rule]] = defaultdict(list)
        for order, rule in enumerate("}".join(_plain(sheet) for sheet in sheets).split("}")):
            selectors, _, declarations = rule.partition("{")
            drawn = _COUNTER.search(declarations)
            for selector in selectors.split(",") if drawn or _TELLING.search(declarations) else ():
                before = _BEFORE.search(selector.strip()) if drawn else None
                if found := _rule(
                    _BEFORE.sub("", selector.strip()) if before else selector, order, drawn[1] if drawn and before else declarations
                ):
                    (self._counters if before else self._rules)[found.key].append(found)

    def of(self, tag: Tag) -> Look:
        inline = tag.get("style")
        if not self._rules:
            return look(str(inline)) if inline else PLAIN
        fitting = _fitting(self._rules, tag)
        if not fitting and not inline:
            return PLAIN
        return look(";".join([*fitting, str(inline or "")]))

    def counter(self, tag: Tag) -> str:
        """What draws a number before a tag: `counter(item, lower-latin) ". "`; empty where nothing does."""
        return next(iter(reversed(_fitting(self._counters, tag))), "") if self._counters else ""


@dataclass(frozen=True, slots=True)
class _Compound:
    """One part of a selector: a tag's name, or any, and its classes and id; `direct` where it has to be the very parent."""

    tag: str
    names: frozenset[str]
    direct: bool = False

    def fits(self, tag: Tag) -> bool:
        return self.tag in ("", tag.name) and self.names <= _names(tag)


@dataclass(frozen=True, slots=True)
class _Rule:
    weight: tuple[int, int, int, int]
    compound: _Compound
    around: tuple[_Compound, ...]
    declarations: str

    @property
    def key(self) -> str:
        return min(self.compound.names, default=self.compound.tag)

    def fits(self, tag: Tag) -> bool:
        return self.compound.fits(tag) and _stand_around(self.around, tag)


def sheet_of(tag: Tag, linked: Callable[[str], str]) -> str:
    """What a `style` tag says, or the style sheet that a `link` names, where it is at hand."""
    if tag.name == "style":
        return str(tag.get_text())
    return linked(str(tag.get("href", ""))) if tag.get_attribute_list("rel") == ["stylesheet"] else ""


def _plain(sheet: str) -> str:
    return _AT.sub("", _SCREEN.sub(r"\1", _COMMENT.sub("", sheet)))


def _rule(selector: str, order: int, declarations: str) -> _Rule | None:
    """None for a selector that isn't plain."""
    steps = _STEP.findall(selector.strip())
    found = [_SELECTOR.fullmatch(part) for part in _STEP.split(selector.strip())]
    if not all(part and part[0] for part in found):
        return None
    parts = [((part[1] or "").lower(), frozenset(re.findall(r"[.#][\w-]+", part[2]))) for part in found if part]
    names = [name for _, inner in parts for name in inner]
    ids = sum(name[0] == "#" for name in names)
    weight = ids, len(names) - ids, sum(bool(tag) for tag, _ in parts), order
    *around, (tag, own) = parts
    compounds = [_Compound(*part, direct=">" in step) for part, step in zip(around, steps, strict=True)]
    return _Rule(weight, _Compound(tag, own), tuple(reversed(compounds)), declarations)


def _names(tag: Tag) -> set[str]:
    return {f".{name}" for name in tag.get_attribute_list("class") if name} | ({f"#{tag['id']}"} if tag.has_attr("id") else set())


def _fitting(rules: dict[str, list[_Rule]], tag: Tag) -> list[str]:
    """Declarations of the rules for a tag, the weightiest last."""
    fitting = [rule for key in (tag.name, *_names(tag)) for rule in rules.get(key, ()) if rule.fits(tag)]
    return [rule.declarations for rule in sorted(fitting, key=lambda rule: rule.weight)]


def _stand_around(compounds: tuple[_Compound, ...], tag: Tag) -> bool:
    """Whether such tags stand around a tag, the nearest first; of several that fit one part, the nearest is taken."""
    for compound in compounds:
        parents = (parent for parent in tag.parents if isinstance(parent, Tag))
        nearest = next(parents, None) if compound.direct else next((parent for parent in parents if compound.fits(parent)), None)
        if nearest is None or not compound.fits(nearest):
            return False
        tag = nearest
    return True


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
    family = said.get("font-family", _SIZED.sub("", said["font"]) if "font" in said else None)
    return Look(
        hidden=display == "none" or _is_put_away(said),
        invisible=None if visibility is None else visibility in ("hidden", "collapse"),
        tiny=None if not size else _number(size, 12) <= (1 if size.endswith(("px", "pt")) else 0),
        raised=said.get("vertical-align") in ("super", "text-top") or said.get("font-variant-position") == "super",
        lines=said.get("white-space", "").startswith(("pre", "break-spaces")),
        block=display in _BLOCKS,
        apart=display in ("inline-block", "inline-flex", "table-cell"),
        numbers=said.get("list-style-type") or said.get("list-style", ""),
        font=None if family is None else symbol_font(family),
    )


def symbol_font(families: str) -> str:
    """The first of some fonts where its characters are symbols; empty where they are letters."""
    first = families.split(",")[0].strip(" '\"")
    return first if is_symbol_font(first) else ""


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
