"""Define how a dialect of delimited text separates fields and records, as regular expressions.

Quotes mean what they mean to pandas, Python's csv and the table reader. A quote opens a field if it is the
field's first character; a doubled quote inside stands for itself. Text after a closing quote is plain, and so
is a quote in a field that does not begin with one:

    1,"a ""b"" c",5" pipe        three fields: 1 / a "b" c / 5" pipe

Where readers differ, nothing is guessed: a blank before an opening quote is accepted only if the quoted text
holds no delimiter and no newline.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property


@dataclass(frozen=True)
class Dialect:
    """The rules that separate fields.

    Attributes:
        delimiter: The character between fields. A blank means any run of blanks and tabs.
        quoted_newlines: True if a quoted field may hold a newline.
        quotes: False if quotes are plain characters.
        escape: The character that escapes the next one, inside quotes or outside; b"" for none.
        decimal: The decimal mark of numbers.
        one_column: True if a blank line is a record with one empty field.
        strict: True if quotes stand only at the edges of a field, or doubled inside.
    """

    delimiter: bytes
    quoted_newlines: bool = True
    quotes: bool = True
    escape: bytes = b""
    decimal: bytes = b"."
    one_column: bool = False
    strict: bool = False

    @cached_property
    def strictly(self) -> Dialect:
        """Return the same dialect for files in which no quote is text."""
        return replace(self, strict=True)

    @property
    def runs(self) -> bool:
        """True if a run of blanks separates fields."""
        return self.delimiter == b" "

    @property
    def newline_ends(self) -> bool:
        """True if every newline ends a record."""
        return not (self.quotes and self.quoted_newlines) or self.runs

    @cached_property
    def field(self) -> re.Pattern[bytes]:
        """One field. ``quoted`` and ``spaced`` match text between quotes; ``open`` an unclosed quote."""
        return re.compile(b"|".join((*self._quoted, self._unclosed, self._plain)), re.DOTALL)

    @cached_property
    def records(self) -> re.Pattern[bytes]:
        """Whole records, one after another, each with its newline."""
        return re.compile(rb"(?:%b)*+" % self._record, re.DOTALL)

    @cached_property
    def record(self) -> re.Pattern[bytes]:
        """One whole record with its newline."""
        return re.compile(self._record, re.DOTALL)

    @cached_property
    def tail(self) -> re.Pattern[bytes]:
        """The rest of a quoted field, from anywhere inside it."""
        after = self._blanks + self._end if self.strict else self._rest
        return re.compile(rb'%b(?:"%b|(?P<open>\Z))' % (self._content, after), re.DOTALL)

    @cached_property
    def plain(self) -> re.Pattern[bytes]:
        """The rest of a field that is not quoted."""
        return re.compile(rb"%b(?=%b|\n|\Z)" % (self._rest, self._mark), re.DOTALL)

    @cached_property
    def tokens(self) -> re.Pattern[bytes]:
        """Plain fields with the delimiters after them, or one field with a quote."""
        run = rb"(?P<run>(?:[^%b\n%b]*+[%b\n])++)" % (self.special, self._marks, self._marks)
        plain = rb"(?P<plain>%b)" % self._plain
        return re.compile(b"|".join((run, *self._quoted, plain)), re.DOTALL)

    @property
    def _marks(self) -> bytes:
        """The delimiters, for a character set of a pattern."""
        return b" \\t" if self.runs else re.escape(self.delimiter)

    @property
    def _mark(self) -> bytes:
        return b"[%b]" % self._marks

    @property
    def special(self) -> bytes:
        """The quote and escape characters, for a character set of a pattern."""
        return (b'"' if self.quotes else b"") + re.escape(self.escape)

    @property
    def special_marks(self) -> tuple[bytes, ...]:
        """The quote and escape characters. A line without them is split at its delimiters alone."""
        return (*((b'"',) if self.quotes else ()), *((self.escape,) if self.escape else ()))

    @property
    def _content(self) -> bytes:
        """The pattern of the text between quotes."""
        escape = re.escape(self.escape)
        return rb'(?:[^"%b]++|""%b)*+' % (escape, rb"|%b." % escape if escape else b"")

    @property
    def _rest(self) -> bytes:
        """Characters that end neither a field nor a record."""
        escape, others = re.escape(self.escape), self._marks + (b'"' if self.strict else b"")
        if not escape:
            return rb"[^\n%b]*+" % others
        return rb"(?:[^\n%b%b]++|%b[^\n]|%b(?=\n|\Z))*+" % (others, escape, escape, escape)

    @property
    def _end(self) -> bytes:
        return rb"(?=%b|\r?\n|\r?\Z)" % self._mark

    @property
    def _blanks(self) -> bytes:
        return {b" ": b"", b"\t": b" *+"}.get(self.delimiter, rb"[ \t]*+")

    @property
    def _quoted(self) -> tuple[bytes, ...]:
        """Fields with quotes: around the whole field, after blanks, or with text after the closing quote."""
        if not self.quotes:
            return ()
        blanks, end, marks = self._blanks, self._end, self._marks
        escape = re.escape(self.escape)
        quoted = rb'"(?P<quoted>%b)"%b%b' % (self._content, blanks, end)
        spaced = rb'%b"(?P<spaced>(?:[^"\n%b%b]++|"")*+)"%b%b' % (blanks, marks, escape, blanks, end)
        stray = rb'(?P<stray>"%b"(?:[^\n%b]%b)?+)' % (self._content, marks, self._rest)
        return (quoted, spaced) if self.strict else (quoted, spaced, stray)

    @property
    def _unclosed(self) -> bytes:
        return rb'"%b(?P<open>\Z)' % self._content if self.quotes else rb"(?P<open>(?!))"

    @property
    def _plain(self) -> bytes:
        return (
            rb'(?!%b")%b(?=%b|\n|\Z)' % (self._blanks, self._rest, self._mark) if self.quotes else self._rest
        )

    @property
    def _record(self) -> bytes:
        fields = b"|".join((*self._quoted, self._plain))
        field = rb"(?:%b)" % re.sub(rb"\?P<\w+>", rb"?:", fields)
        return rb"%b(?:%b%b)*+\r?\n" % (field, self._mark, field)


LINES = Dialect(b" ", quotes=False)
"""Reads every line as a record, whatever it holds."""
