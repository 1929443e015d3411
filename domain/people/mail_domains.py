"""Domains of email addresses: how one is read, and whose address is in it."""

import re

from domain import check
from domain.errors import Invalid
from domain.language import gettext as _


def read(text: str, field: str = "domains") -> str:
    """Return an email domain as it is compared: lower case, without "@".

    Raises: Invalid.
    """
    domain = check.line(field, text).lower().removeprefix("@")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain):
        raise Invalid(_("{text!r} is no email domain. Expected one such as acme-rail.example.", text=text[:60]), field)
    return domain


def of(address: str) -> str:
    """Return the domain of an email address; "" where it has none of ASCII letters, so that look-alikes are none."""
    domain = address.rpartition("@")[2] if "@" in address else ""
    return domain.lower() if domain.isascii() else ""
