"""What kind of device somebody is on, as far as it may be known: a word, and nothing finer."""

from domain.language import gettext as _


def device(agent: str) -> str:
    """Return what kind of device a browser says it is on, and nothing finer."""
    if "iPad" in agent or ("Android" in agent and "Mobile" not in agent):
        return _("Tablet")
    return _("Phone") if "Mobi" in agent else _("Computer")
