"""Commands that turn plans from one form into another."""
