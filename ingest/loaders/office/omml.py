"""Formulas of Word and PowerPoint (Office Math) on one line."""

from collections.abc import Callable, Iterable

from ingest.loaders.linear import fraction, root
from ingest.loaders.office import formula
from ingest.loaders.web.xmltree import Element, attribute, child, children, local

_UNSEEN = {"rPr", "ctrlPr", "del", "moveFrom", "instrText", "delText"}
_OFF = ("0", "off", "false")


def linear(element: Element) -> str:
    """An m:oMath, an m:oMathPara (a line for each formula in it), or any part of one."""
    if local(element) == "oMathPara":
        return "\n".join(filter(None, (linear(inner) for inner in children(element, "oMath"))))
    return formula.row(_parts(element))


def _parts(elements: Iterable[Element]) -> list[str]:
    found: list[str] = []
    for element in elements:
        name = local(element)
        if name in _UNSEEN or name.endswith("Pr"):
            continue
        if name == "t":
            found += formula.tokens(element.text or "")
        elif name == "r" and child(element, "rPr", "nor") is not None:  # words within a formula
            found.append("".join(text.text or "" for text in children(element, "t")))
        elif (write := _KINDS.get(name)) is not None:
            found.append(write(element))
        else:
            found += _parts(element)
    return found


def _inner(element: Element, name: str) -> str:
    found = child(element, name)
    return "" if found is None else formula.row(_parts(found))


def _property(element: Element, name: str, default: str = "") -> str:
    """What m:xPr says of m:x; a sign that is set to nothing is nothing."""
    found = child(element, f"{local(element)}Pr", name)
    return default if found is None else attribute(found, "val")


def _is_on(element: Element, name: str) -> bool:
    return _property(element, name, "0") not in _OFF


def _fraction(element: Element) -> str:
    above, below = _inner(element, "num"), _inner(element, "den")
    return formula.table([[above], [below]]) if _property(element, "type") == "noBar" else fraction(above, below)


def _root(element: Element) -> str:
    return root(_inner(element, "e"), "" if _is_on(element, "degHide") else _inner(element, "deg"))


def _delimited(element: Element) -> str:
    """Brackets; a matrix within has none of its own then."""
    inside = [_bare(inner) for inner in children(element, "e")]
    between = _property(element, "sepChr", "|")
    between = f"{between} " if between in (",", ";") else f" {between} " if between else ""
    return f"{_property(element, 'begChr', '(')}{between.join(inside)}{_property(element, 'endChr', ')')}"


def _bare(element: Element) -> str:
    only = [inner for inner in element if not local(inner).endswith("Pr")]
    if len(only) == 1 and local(only[0]) == "m":
        return formula.table(_cells(only[0]))
    return formula.row(_parts(element))


def _cells(element: Element) -> list[list[str]]:
    return [[formula.row(_parts(cell)) for cell in children(row, "e")] for row in children(element, "mr")]


def _nary(element: Element) -> str:
    below = "" if _is_on(element, "subHide") else _inner(element, "sub")
    above = "" if _is_on(element, "supHide") else _inner(element, "sup")
    return formula.limits(_property(element, "chr", "∫"), below, above, _inner(element, "e"))


def _group(element: Element) -> str:
    """A brace over or under what it groups, which a line can't show; an arrow with words over it is one."""
    sign = _property(element, "chr", "⏟")
    return _inner(element, "e") if sign in "⏟⏞⎵⎴" else formula.accent(_inner(element, "e"), sign)


def _phantom(element: Element) -> str:
    return "" if _property(element, "show", "1") in _OFF else _inner(element, "e")


_KINDS: dict[str, Callable[[Element], str]] = {
    "oMath": linear,
    "f": _fraction,
    "rad": _root,
    "sSup": lambda e: formula.scripts(_inner(e, "e"), above=_inner(e, "sup")),
    "sSub": lambda e: formula.scripts(_inner(e, "e"), _inner(e, "sub")),
    "sSubSup": lambda e: formula.scripts(_inner(e, "e"), _inner(e, "sub"), _inner(e, "sup")),
    "sPre": lambda e: formula.before(_inner(e, "e"), _inner(e, "sub"), _inner(e, "sup")),
    "nary": _nary,
    "d": _delimited,
    "m": lambda e: formula.matrix(_cells(e)),
    "eqArr": lambda e: formula.table([[formula.row(_parts(line)).replace("&", "")] for line in children(e, "e")]),
    "acc": lambda e: formula.accent(_inner(e, "e"), _property(e, "chr", "\u0302")),
    "bar": lambda e: formula.accent(_inner(e, "e"), "\u0304" if _property(e, "pos") == "top" else "\u0332"),
    "groupChr": _group,
    "func": lambda e: f"{_inner(e, 'fName')} {_inner(e, 'e')}",
    "limLow": lambda e: formula.under(_inner(e, "e"), _inner(e, "lim")),
    "limUpp": lambda e: formula.scripts(_inner(e, "e"), above=_inner(e, "lim")),
    "phant": _phantom,
}
