"""One reader per input format: reads a piece of an S3 object as blocks of rows."""

from amazon_estimators.sources.blocks import Block
from amazon_estimators.sources.layout import Layout, Piece
from amazon_estimators.sources.readers import format_of
from amazon_estimators.sources.schema import Schema
from amazon_estimators.sources.source import Source

__all__ = ["Block", "Layout", "Piece", "Schema", "Source", "format_of"]
