"""Mails: when they are due, what they say, how they go out, what became of each."""
