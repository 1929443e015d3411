"""The rules of projects, agreements, people and what a client is shown.

Rule: pure. Only the standard library and msgspec; no I/O, clock, randomness, logging or event-store library.
"""
