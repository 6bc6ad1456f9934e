"""Describe the features of a RecordSet: moments and quantiles that add up over blocks and over shards."""
