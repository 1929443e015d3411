"""What clients said, and what the manager answers."""
