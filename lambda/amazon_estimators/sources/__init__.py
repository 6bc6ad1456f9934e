"""One reader per input format: a piece of an S3 object becomes blocks of rows."""

from amazon_estimators.sources.formats import format_of
from amazon_estimators.sources.source import Block, Layout, Piece, Schema, Source

__all__ = ["Block", "Layout", "Piece", "Schema", "Source", "format_of"]
