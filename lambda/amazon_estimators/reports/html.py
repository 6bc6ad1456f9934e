"""Build HTML by functions that escape every text they are given.

A text is escaped unless it is :class:`Html`, which only this module and the plots make. So a page cannot
hold markup from a column's name, a file's name or an error.
"""

from __future__ import annotations

import base64
import hashlib
import html
import unicodedata
from collections.abc import Iterable

LONGEST = 400
"""Characters of a text; a longer one is cut."""
VOID = frozenset({"meta"})
SHOWN_AS_CODE = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that are shown by their number: controls, halves, those that are not assigned."""
BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Characters without a shape that reorder the text around them."""


class Html(str):
    """Markup: text that is already escaped."""

    __slots__ = ()


def text(value: object, longest: int = LONGEST) -> Html:
    r"""Return a value as escaped text, at most ``longest`` characters of it.

    Characters that a page cannot show, or that would reorder it, are written as their number.

    Example:
        >>> text("<b>"), text("a\u202eb"), text("x" * 10, longest=4)
        ('&lt;b&gt;', 'a\\u202eb', 'xxx…')
    """
    if isinstance(value, Html):
        return value
    plain = str(value)
    if len(plain) > longest:
        plain = f"{plain[: longest - 1]}…"
    if not plain.isascii() or not plain.isprintable():
        plain = "".join(map(_visible, plain))
    return Html(html.escape(plain))


def _visible(character: str) -> str:
    hidden = character in BIDIRECTIONAL or unicodedata.category(character) in SHOWN_AS_CODE
    return f"\\u{ord(character):04x}" if hidden and character != "\n" else character


def element(tag: str, /, *content: object, **attributes: object) -> Html:
    """Return an element. ``class_`` stands for ``class``; an attribute that is None is left out.

    Example:
        >>> element("td", "a & b", class_="number")
        '<td class="number">a &amp; b</td>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value, 10_000)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(map(text, content))
    return Html(f"<{tag}{written}>" if tag in VOID else f"<{tag}{written}>{inside}</{tag}>")


def joined(parts: Iterable[object], between: str = "") -> Html:
    """Return parts, escaped, one after the other."""
    return Html(between.join(map(text, parts)))


def table(
    caption: str, headings: Iterable[object], rows: Iterable[Html], *, class_: str | None = None
) -> Html:
    """Return a table with a caption and a header for each column. It scrolls if it is wide."""
    head = element("tr", *(element("th", heading, scope="col") for heading in headings))
    body = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", joined(rows)),
        class_=class_,
    )
    return element("div", body, class_="wide", tabindex="0", role="region", aria_label=caption)


def row(heading: object, *cells: object, class_: str | None = None) -> Html:
    """Return a row whose first cell is its header. It has no end tags, which HTML lets be left out."""
    kind = f' class="{text(class_)}"' if class_ else ""
    inside = "".join(f"<td>{text(cell)}" for cell in cells)
    return Html(f"<tr{kind}><th scope=row dir=auto>{text(heading)}{inside}")


def document(title: str, style: str, *body: object) -> Html:
    """Return a page. Its policy allows this very style and nothing else: no script, image, font or frame."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        Html(f"<style>{style}</style>"),
    )
    return Html(f'<!DOCTYPE html>\n<html lang="en">{head}{element("body", *body)}</html>\n')
