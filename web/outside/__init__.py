"""Requests of ours to addresses that somebody typed: to the outside alone, and bounded in time and size."""
