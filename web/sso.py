"""What the way in needs of a single sign-on provider; the libraries behind it are loaded only where one is set."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from web.settings import Settings

if TYPE_CHECKING:
    from web.openid import Provider

BACK = "/sign-in/openid/back"  # where the provider sends browsers back to; it has to be registered there


class Away(Exception):
    """The provider cannot be reached, or does not answer as one would; says how, for the log."""


class NotVouched(Exception):
    """The provider does not vouch for anybody here; says why, for the log, and names nobody."""


def provider(settings: Settings, clock: Callable[[], datetime]) -> "Provider | None":
    """Return the provider of an installation, None where none is set."""
    if not settings.oidc_issuer:
        return None
    from web.openid import Provider

    client, secret = settings.oidc_client_id, settings.oidc_client_secret
    return Provider(settings.oidc_issuer, client, secret, f"{settings.origin}{BACK}", clock)
