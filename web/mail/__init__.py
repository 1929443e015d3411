"""Mails to viewers: when they are due, what they say, how they are sent, and how each was delivered."""
