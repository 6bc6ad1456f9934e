"""Parquet: footer, pages and row groups."""
