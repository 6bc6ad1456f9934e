"""Draw what a command printed as an SVG: docs/images/status.svg and doctor.svg are from a rehearsal.

    make rehearse ARGS="--full --stay"                       # in another shell: source what it names, then
    amazon-estimators status | python benchmarks/terminal_picture.py "amazon-estimators status" > status.svg

Colours of the terminal are kept, if the command wrote any.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from xml.sax.saxutils import escape

LETTER, LINE, LEFT, TOP = 7.25, 18, 16, 62
BACKGROUND, INK = "#1b1f27", "#e6e9ef"
COLOURS = {
    "31": "#ff7b72",
    "32": "#7ee787",
    "33": "#f2cc60",
    "34": "#79c0ff",
    "36": "#76e3ea",
    "2": "#9aa4b2",
}
"""By the parameter of an escape sequence."""
FIRST_WORDS = {"ok": "32", "warning": "33", "error": "31"}
"""The verdicts of the doctor, by which a line without colours gets one."""
MOST = 124
ESCAPE = re.compile(r"\x1b\[([\d;]*)m")


def draw(command: str, text: str) -> str:
    """Return an SVG of a terminal with a command and its output.

    Example:
        >>> "$ true" in draw("true", "")
        True
    """
    lines = [part for line in text.rstrip("\n").split("\n") for part in _wrapped(line.rstrip())]
    widest = max(len(ESCAPE.sub("", line)) for line in [*lines, f"$ {command}"])
    width, height = round(2 * LEFT + LETTER * widest), TOP + LINE * (len(lines) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
        *(
            f'<circle cx="{18 + 18 * number}" cy="18" r="5" fill="{fill}"/>'
            for number, fill in enumerate(("#ff5f57", "#febc2e", "#28c840"))
        ),
        _text(0, f"$ {command}", fill="#79c0ff"),
        *(part for number, line in enumerate(lines, start=1) for part in _line(number, line)),
    ]
    return "\n".join([*parts, "</svg>\n"])


def _wrapped(line: str) -> list[str]:
    """Return a line as a terminal of MOST columns shows it, the rest below its text."""
    if len(ESCAPE.sub("", line)) <= MOST or ESCAPE.search(line):
        return [line]
    words = line.split()
    below = line.find(words[1]) if words[0] in FIRST_WORDS else len(line) - len(line.lstrip())
    return textwrap.wrap(line, MOST, subsequent_indent=" " * below, break_on_hyphens=False)


def _line(number: int, line: str) -> Iterator[str]:
    """Yield the runs of one colour in a line."""
    pieces = ESCAPE.split(line)
    if len(pieces) == 1:
        (word, *_) = [*line.split(), ""]
        if word in FIRST_WORDS:
            before, _, after = line.partition(word)
            pieces = [before, FIRST_WORDS[word], word, "0", after]
    fill, column = INK, 0
    for index, piece in enumerate(pieces):
        if index % 2:
            fill = next((COLOURS[one] for one in piece.split(";") if one in COLOURS), INK)
        elif piece:
            yield _text(number, piece, column=column, fill=fill)
            column += len(piece)


def _text(number: int, content: str, *, column: int = 0, fill: str = INK) -> str:
    """Return text at a place of the grid; its length is set, so that columns stand wherever it is shown."""
    x, y = LEFT + LETTER * column, TOP - 14 + LINE * number
    return (
        f'<text x="{x:.1f}" y="{y}" fill="{fill}" xml:space="preserve" '
        f'textLength="{LETTER * len(content):.1f}" lengthAdjust="spacingAndGlyphs">{escape(content)}</text>'
    )


if __name__ == "__main__":
    sys.stdout.write(draw(sys.argv[1], sys.stdin.read()))
