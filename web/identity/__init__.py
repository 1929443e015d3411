"""Establishes who somebody is: links, sessions and tokens of ours, or the organisation’s single sign-on provider."""
