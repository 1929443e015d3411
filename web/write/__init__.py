"""The write side: one command in, its events recorded or a refusal out."""
