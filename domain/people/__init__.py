"""Clients and people: roles, sign-in links, sessions and tokens, and the mails to them."""
