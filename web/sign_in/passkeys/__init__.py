"""Passkeys on pages: signing in by one, and one's own at `/me/passkeys`."""
