"""Pages for signing in, by a link or single sign-on, and for one’s own sessions."""
