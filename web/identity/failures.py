"""The ways in which single sign-on can fail, and the path that the provider sends browsers back to."""

BACK = "/sign-in/openid/back"  # the redirect URI that has to be registered with the provider


class Away(Exception):
    """The provider cannot be reached, or does not answer as specified. The message is for the log."""


class NotVouched(Exception):
    """The provider's answer does not prove who somebody is. The message is for the log and names nobody."""
