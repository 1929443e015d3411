"""The write side: takes one command, and records its events or refuses it."""
