"""Verify, with AWS's own interpreter, what two other interpreters did with the library's state machines."""
