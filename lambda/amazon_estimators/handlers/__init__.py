"""Lambda entry points, one per state. Each parses the event, calls the library and returns the contract."""
