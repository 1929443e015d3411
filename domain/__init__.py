"""What is true. Pure: standard library and msgspec only; no I/O, clock, randomness, logging or event-store library."""
