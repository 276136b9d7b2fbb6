"""Draws how well starters answer against how many tokens of evidence they read, as SVG, from the figures beside the log.

python data/starter/recipe/curve.py data/starter/figures.json docs/evidence.svg
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DRAWN = {"ships": ("the starter", "#2a7de1"), "before": ("the starter before it", "#d9822b")}
"""Weights -> their name in the picture and their colour."""
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 56, 150, 16, 48
TOKENS, F1 = 8192, 0.8
"""Where the axes end."""
STYLE = """<style>text { font: 13px sans-serif; fill: #57606a } .axis { stroke: #8c959f; stroke-opacity: .4 }
@media (prefers-color-scheme: dark) { text { fill: #adbac7 } }</style>"""


def drawn(figures: list[dict[str, Any]]) -> str:
    """The picture of those weights in `figures` that DRAWN names: F1 of the sets long1000, long4000 and so on, and standard errors."""
    title = "<title>F1 over 1,000, 4,000 and 7,500 tokens of evidence</title>"
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">', title, STYLE, *_axes()]
    for row in figures:
        if row["weights"] in DRAWN:
            lines += _curve(row, *DRAWN[row["weights"]])
    return "\n".join([*lines, "</svg>", ""])


def _x(tokens: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * tokens / TOKENS, 1)


def _y(f1: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * f1 / F1, 1)


def _axes() -> Iterator[str]:
    for f1 in (0.0, 0.2, 0.4, 0.6, 0.8):
        yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(f1)}" y2="{_y(f1)}"/>'
        yield f'<text x="{LEFT - 8}" y="{_y(f1) + 4}" text-anchor="end">{f1}</text>'
    for tokens in (0, 2000, 4000, 6000, 8000):
        yield f'<text x="{_x(tokens)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tokens:,}</text>'
    yield f'<text x="{_x(TOKENS / 2)}" y="{HEIGHT - 8}" text-anchor="middle">tokens of evidence, the right passage anywhere in them</text>'
    yield f'<text x="14" y="{_y(F1 / 2)}" text-anchor="middle" transform="rotate(-90 14 {_y(F1 / 2)})">F1</text>'


def _curve(row: dict[str, Any], label: str, colour: str) -> Iterator[str]:
    """A line with its points, their standard errors where they are known, and its label at the end."""
    sets = {float(name.removeprefix("long")): name for name in row["F1"] if name.startswith("long")}
    points = [(tokens, row["F1"][name], row["standard_error"].get(name)) for tokens, name in sets.items()]
    path = " ".join(f"{_x(tokens)},{_y(f1)}" for tokens, f1, _ in points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
    for tokens, f1, error in points:
        yield f'<circle cx="{_x(tokens)}" cy="{_y(f1)}" r="4" fill="{colour}"/>'
        if error is not None:
            ends = f'y1="{_y(f1 - error)}" y2="{_y(f1 + error)}"'
            yield f'<line x1="{_x(tokens)}" x2="{_x(tokens)}" {ends} stroke="{colour}" stroke-width="1.5"/>'
    yield f'<text x="{WIDTH - RIGHT + 8}" y="{_y(points[-1][1]) + 4}" style="fill: {colour}">{label}</text>'


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw F1 against tokens of evidence.")
    parser.add_argument("figures", type=Path, help="JSON: weights, and their F1 and standard_error of each set")
    parser.add_argument("out", type=Path, help="the .svg file")
    args = parser.parse_args()
    args.out.write_text(drawn(json.loads(args.figures.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
