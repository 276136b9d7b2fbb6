"""How OpenDocument's styles make characters look: hidden, raised or lowered, in a symbol font."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ingest.loaders.web.xmltree import Element, attribute, children, descendants


@dataclass(frozen=True, slots=True)
class Look:
    hidden: bool = False
    rise: int = 0
    font: str = ""


class Looks:
    """All styles of paragraphs and texts, by family and name; a style has what its parent has and doesn't say itself."""

    def __init__(self, roots: Iterable[Element]) -> None:
        self._styles: dict[tuple[str, str], Element] = {}
        self._fonts: dict[str, str] = {}
        self._found: dict[tuple[str, str, Look], Look] = {}
        for root in roots:
            for face in descendants(root, "font-face"):
                self._fonts[attribute(face, "name")] = attribute(face, "font-family").strip("'\"")
            for style in descendants(root, "style"):
                self._styles[attribute(style, "family"), attribute(style, "name")] = style

    def of(self, element: Element, family: str, around: Look) -> Look:
        """How the text of a paragraph or span looks, within text that looks some way."""
        key = (family, attribute(element, "style-name"), around)
        if key not in self._found:
            look = around
            for style in reversed(list(self._chain(family, key[1]))):
                for properties in children(style, "text-properties"):
                    look = self._changed(look, properties)
            self._found[key] = look
        return self._found[key]

    def list_style(self, paragraph: Element) -> str:
        """The list style that a paragraph's style names."""
        chain = self._chain("paragraph", attribute(paragraph, "style-name"))
        return next((name for style in chain if (name := attribute(style, "list-style-name"))), "")

    def _chain(self, family: str, name: str) -> Iterable[Element]:
        seen: set[str] = set()
        while (style := self._styles.get((family, name))) is not None and name not in seen:
            seen.add(name)
            yield style
            name = attribute(style, "parent-style-name")

    def _changed(self, look: Look, properties: Element) -> Look:
        if shown := attribute(properties, "display"):
            look = replace(look, hidden=shown == "none")
        if position := attribute(properties, "text-position"):
            look = replace(look, rise=_rise(position))
        if font := attribute(properties, "font-family") or attribute(properties, "font-name"):
            look = replace(look, font=self._fonts.get(font, font).strip("'\""))
        return look


def _rise(position: str) -> int:
    """1 for "super 58%" or "33% 58%", -1 for "sub 58%" or "-8% 58%"."""
    first = position.split()[0]
    if first in ("super", "sub"):
        return 1 if first == "super" else -1
    return -1 if first.startswith("-") else int(first.strip("%").strip("0.") != "")


def is_hidden(element: Element) -> bool:
    """Whether a section, paragraph or field says itself that it isn't shown."""
    return attribute(element, "display") == "none" or attribute(element, "is-hidden") == "true"


def control_text(control: Element | None) -> str:
    """What a reader sees of a form's control: a box and its label, the text entered, the choice made."""
    if control is None:
        return ""
    label, value = attribute(control, "label"), attribute(control, "current-value") or attribute(control, "value")
    match control.tag.rpartition("}")[2]:
        case "checkbox":
            state = attribute(control, "current-state") or attribute(control, "state")
            return f"{'☒' if state == 'checked' else '☐'} {label}".strip()
        case "radio":
            chosen = attribute(control, "current-selected") or attribute(control, "selected")
            return f"{'☒' if chosen == 'true' else '☐'} {label}".strip()
        case "text" | "textarea" | "formatted-text" | "date" | "time" | "number" | "combobox":
            return value
        case "listbox":
            options = list(children(control, "option"))
            picked = [option for option in options if "true" in (attribute(option, "current-selected"), attribute(option, "selected"))]
            return ", ".join(attribute(option, "label") for option in picked)
        case "fixed-text" | "button":
            return label
    return ""


def field_mark(mark: Element) -> str:
    """What a field of Word's forms shows: the choice of a drop-down, a box."""
    values: dict[str, list[str]] = {}
    for inner in descendants(mark, "param"):
        values.setdefault(attribute(inner, "name").rpartition(".")[2], []).append(attribute(inner, "value"))
    kind = attribute(mark, "type")
    if kind.endswith("FORMCHECKBOX"):
        return "☒" if values.get("Checkbox_Checked", [""])[0] in ("true", "1") else "☐"
    entries, picked = values.get("Dropdown_ListEntry", []), values.get("Dropdown_Selected", ["0"])[0]
    return entries[int(picked)] if picked.isdecimal() and int(picked) < len(entries) else ""
