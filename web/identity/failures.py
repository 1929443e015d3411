"""How a single sign-on provider can fail, and the address that it sends browsers back to."""

BACK = "/sign-in/openid/back"  # where the provider sends browsers back to; it has to be registered there


class Away(Exception):
    """The provider cannot be reached, or does not answer as one would; says how, for the log."""


class NotVouched(Exception):
    """The provider does not vouch for anybody here; says why, for the log, and names nobody."""
