"""Bytes in, report out. Asks nothing that wrote the record."""
