"""Checks of props, with all problems in one error."""
