"""Held changes are released to clients, and the record of what was ever held."""
