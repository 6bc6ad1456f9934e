"""Buckets, and where a pipeline's data lies in them."""
