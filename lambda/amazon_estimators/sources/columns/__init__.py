"""Columns as people keep them: gaps filled or dropped, words and ids as features, numbers scaled."""
