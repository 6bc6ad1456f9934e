"""The Lambda entry points, one per state: parse the event, call the library, return the contract."""
