"""What an RTF group inherits and gives back at its end: the look of its characters, the shape of its paragraph."""

from dataclasses import dataclass, replace

from ingest.loaders.office.rtf_field import Field
from ingest.loaders.office.rtf_flow import Flow, Shape
from ingest.loaders.web.xmltree import Element

_SMALLER = 0.85
"""Of the size around it: what is shifted up and smaller than that is a raised figure."""
_LEFT_ALONE = Shape()


@dataclass(frozen=True)
class State:
    flow: Flow
    skip: bool = False
    destination: str = ""
    font: int = -1
    fallback: int = 1
    hidden: bool = False
    noted: bool = False
    """Whether what is hidden was hidden by the author, rather than deleted."""
    rise: int = 0
    shift: int = 0
    size: int = 24
    """In half points, as the shift is."""
    shape: Shape = _LEFT_ALONE
    in_upr: bool = False
    field: Field | None = None
    math: Element | None = None

    def raised(self, around: int) -> int:
        """1 for a superscript, -1 for a subscript among letters of a size."""
        if self.rise or self.size > around * _SMALLER:
            return self.rise
        return (self.shift > 0) - (self.shift < 0)

    def shaped(self, **changes: int | None) -> "State":
        """With another shape of its paragraph."""
        return replace(self, shape=replace(self.shape, **changes))  # type: ignore[arg-type]

    def changed(self, word: str, number: int | None) -> "State":
        """After a word that changes only how what follows looks; itself after any other."""
        on = number is None or number != 0
        match word:
            case "f":
                return replace(self, font=number if number is not None else -1)
            case "uc":
                return replace(self, fallback=max(0, number or 0))
            case "plain":
                return replace(self, font=-1, hidden=False, noted=False, rise=0, shift=0, size=24)
            case "v" | "deleted" | "htmlrtf":
                return replace(self, hidden=on, noted=on and word == "v")
            case "super" | "sub":
                return replace(self, rise=(1 if word == "super" else -1) if on else 0)
            case "nosupersub":
                return replace(self, rise=0)
            case "up" | "dn":
                shift = 6 if number is None else number
                return replace(self, shift=shift if word == "up" else -shift)
            case "fs" if number:
                return replace(self, size=number)
            case "pard":
                return replace(self, shape=_LEFT_ALONE)
            case "intbl":
                return self.shaped(in_table=on)
            case "ls" | "ilvl" | "li" | "lin" | "fi":
                return self.shaped(**{{"ls": "list_id", "ilvl": "list_level", "fi": "first"}.get(word, "left"): number or 0})
            case "outlinelevel" if number is not None:
                return self.shaped(level=number + 1 if 0 <= number < 9 else None)
        return self
