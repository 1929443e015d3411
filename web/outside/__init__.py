"""Requests to addresses that people typed: only where they may lead, within bounds of size and time."""
