"""Signing the record, taking it away as a bundle, and erasing from it."""
