"""MathML on one line: formulas of OpenDocument files."""

from collections.abc import Callable, Iterable

from ingest.loaders.linear import fraction, root
from ingest.loaders.office import formula
from ingest.loaders.web.xmltree import Element, attribute, children, local

_UNSEEN = {"annotation", "annotation-xml", "mphantom", "mspace", "maligngroup", "malignmark", "none", "mprescripts"}
_SIGNS = {"\u2061": " ", "\u2062": "", "\u2063": "", "\u2064": "", "\u2223": "|"}
"""Signs that are only meant: the application of a function, a product."""
_SUMS = set("∑∏∐∫∬∭∮⋃⋂⋁⋀")
_BRACES = set("⏟⏞⎵⎴︸︷")


def linear(element: Element) -> str:
    """A `math` element, or any part of one."""
    return formula.row(_parts([element]))


def _parts(elements: Iterable[Element]) -> list[str]:
    found: list[str] = []
    for element in elements:
        name = local(element)
        if name in _UNSEEN:
            continue
        if name in ("mi", "mn", "mtext", "ms"):
            found.append(formula.letters(" ".join("".join(element.itertext()).split())))
        elif name == "mo":
            found.append(_sign("".join(element.itertext()).strip()))
        elif name == "semantics":
            found += _parts(list(element)[:1])
        elif (write := _KINDS.get(name)) is not None:
            found.append(write(element, [formula.row(_parts([inner])) for inner in element if local(inner)]))
        else:
            found += _parts(element)
    return found


def _sign(text: str) -> str:
    return "".join(_SIGNS.get(c, c) for c in text)


def _scripts(base: str, below: str, above: str) -> str:
    if base in _SUMS:
        return formula.limits(base, below, above, "")
    return formula.scripts(base, below, above)


def _stacked(base: str, below: str, above: str) -> str:
    """Limits, accents and braces, which MathML writes alike."""
    if base in _SUMS:
        return formula.limits(base, below, above, "")
    if above and not above[:1].isalnum() and len(above) == 1:
        base, above = ("" if above in _BRACES else formula.accent(base, above)) or base, ""
    if below and len(below) == 1 and not below.isalnum():
        base, below = ("" if below in _BRACES else formula.accent(base, below)) or base, ""
    return formula.scripts(formula.under(base, below), above=above) if above else formula.under(base, below)


def _at(inside: list[str], place: int) -> str:
    return inside[place] if place < len(inside) else ""


def _fraction(element: Element, inside: list[str]) -> str:
    bare = attribute(element, "linethickness") in ("0", "0pt", "0px", "0em")
    return formula.table([[_at(inside, 0)], [_at(inside, 1)]]) if bare else fraction(_at(inside, 0), _at(inside, 1))


def _fenced(element: Element, inside: list[str]) -> str:
    between = attribute(element, "separators", ",").strip()[:1]
    return f"{attribute(element, 'open', '(')}{f'{between} '.join(inside)}{attribute(element, 'close', ')')}"


def _table(element: Element, _: list[str]) -> str:
    """Rows of a matrix; lines below each other where there is one column, or where brackets stand around it already."""
    rows = [[formula.row(_parts(cell)) for cell in children(row, "mtd")] for row in element if local(row) in ("mtr", "mlabeledtr")]
    around = element.getparent()
    fenced = around is not None and (local(around) == "mfenced" or any(local(sibling) == "mo" for sibling in around))
    return formula.table(rows) if fenced or all(len(row) == 1 for row in rows) else formula.matrix(rows)


def _multi(element: Element, _: list[str]) -> str:
    """Scripts after the base, then, behind mprescripts, those before it."""
    before: list[str] = []
    after: list[str] = []
    into = after
    for inner in element:
        if local(inner) == "mprescripts":
            into = before
        elif local(inner):
            into.append(formula.row(_parts([inner])))
    line = formula.scripts(_at(after, 0), _at(after, 1), _at(after, 2))
    return formula.before(line, _at(before, 0), _at(before, 1)) if before else line


_KINDS: dict[str, Callable[[Element, list[str]], str]] = {
    "mfrac": _fraction,
    "msqrt": lambda e, inside: root(formula.row(_parts(e))),
    "mroot": lambda e, inside: root(_at(inside, 0), _at(inside, 1)),
    "msup": lambda e, inside: _scripts(_at(inside, 0), "", _at(inside, 1)),
    "msub": lambda e, inside: _scripts(_at(inside, 0), _at(inside, 1), ""),
    "msubsup": lambda e, inside: _scripts(_at(inside, 0), _at(inside, 1), _at(inside, 2)),
    "munder": lambda e, inside: _stacked(_at(inside, 0), _at(inside, 1), ""),
    "mover": lambda e, inside: _stacked(_at(inside, 0), "", _at(inside, 1)),
    "munderover": lambda e, inside: _stacked(_at(inside, 0), _at(inside, 1), _at(inside, 2)),
    "mfenced": _fenced,
    "mtable": _table,
    "mmultiscripts": _multi,
    "maction": lambda e, inside: _at(inside, 0),
}
