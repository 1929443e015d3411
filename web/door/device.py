"""The kind of device a browser runs on.

Rule: one of three words and nothing finer, so that nobody is recognised by it.
"""

from domain.language import gettext as _


def device(agent: str) -> str:
    """Return the kind of device that a User-Agent header names."""
    if "iPad" in agent or ("Android" in agent and "Mobile" not in agent):
        return _("Tablet")
    return _("Phone") if "Mobi" in agent else _("Computer")
