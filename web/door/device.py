"""The kind of device a browser runs on, and for a device that stays signed in what its person knows it by.

Rule: one of three words, or a browser and a system by name, and nothing finer, so that nobody is recognised by it.
"""

from domain.language import gettext as _


def device(agent: str) -> str:
    """Return the kind of device that a User-Agent header names."""
    if "iPad" in agent or ("Android" in agent and "Mobile" not in agent):
        return _("Tablet")
    return _("Phone") if "Mobi" in agent else _("Computer")


# the first that is found: what comes later stands in the header of the others too
BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def called(agent: str) -> str:
    """Return a browser and its system by name, such as "Firefox on Windows"; the kind of device where it has none."""
    browser = next((name for part, name in BROWSERS if part in agent), "")
    system = next((name for part, name in SYSTEMS if part in agent), "")
    if browser and system:
        return _("{browser} on {system}", browser=browser, system=system)
    return browser or system or device(agent)
