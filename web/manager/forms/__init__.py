"""The form of every command a manager can give."""
