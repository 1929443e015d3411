"""The event log, and the present state of everything, folded from it."""
