"""What is true: the event log, and the world folded from it."""
