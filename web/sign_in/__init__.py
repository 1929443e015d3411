"""The way in: links, single sign-on, sessions."""
