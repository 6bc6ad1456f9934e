"""Buckets, and the layout of a pipeline's data in them."""
