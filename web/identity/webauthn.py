"""What a passkey answers (WebAuthn Level 3), read and verified by py_webauthn; nothing is kept or looked up here.

Rule: whoever uses a passkey was verified by its device (PIN, finger, face), and the passkey names its account itself.
"""

import ipaddress
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from domain.people.passkeys import Passkey

LONGEST = 32_768  # characters of an answer
PATIENCE = 120_000  # ms for which a browser waits for its user


class NotProven(Exception):
    """An answer that is none of a passkey, or of another challenge, place or key, or was given without its user."""


class RelyingParty(msgspec.Struct, frozen=True, kw_only=True):
    """Where passkeys are used: the relying party's id and the one origin its pages have."""

    host: str
    origin: str


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A new passkey; credential and key are base64url."""

    credential: str
    key: str
    count: int
    synced: bool
    transports: tuple[str, ...]


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """Which passkey an answer says it is of, and of which account; both base64url."""

    credential: str
    handle: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator shows of an account: `handle` (base64url) names it there."""

    handle: str
    name: str
    title: str
    organisation: str


def place_of(origin: str) -> RelyingParty | None:
    """Return where passkeys are used at an address; None where browsers allow none: by number, or without TLS."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    local = host == "localhost" or host.endswith(".localhost")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(host=host, origin=origin) if host and (local or parts.scheme == "https") else None
    return None


def to_add(place: RelyingParty, account: Account, challenge: bytes, held: Sequence[Passkey]) -> str:
    """Return the options for making a passkey, as JSON; a device that has one of `held` makes none."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes, structs

    chosen = structs.AuthenticatorSelectionCriteria(
        resident_key=structs.ResidentKeyRequirement.REQUIRED,
        require_resident_key=True,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=account.organisation,
        user_id=base64url_to_bytes(account.handle),
        user_name=account.name,
        user_display_name=account.title,
        challenge=challenge,
        timeout=PATIENCE,
        authenticator_selection=chosen,
        exclude_credentials=[
            structs.PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in held
        ],
    )
    return webauthn.options_to_json(options)


def to_sign(place: RelyingParty, challenge: bytes) -> str:
    """Return the options for signing in by a passkey, as JSON: the same for everybody, as they name no passkey."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=place.host,
        challenge=challenge,
        timeout=PATIENCE,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def registered(answer: str, place: RelyingParty, challenge: bytes) -> Registered:
    """Return the passkey that was made for a challenge.

    Raises: NotProven.
    """
    import webauthn
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.structs import CredentialDeviceType

    try:
        sent = _object(answer)
        made = webauthn.verify_registration_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
        named = sent["response"].get("transports", [])
        transports = tuple(str(one)[:20] for one in named[:8]) if isinstance(named, list) else ()
    except Exception as error:  # what a stranger sends makes the library's parsers raise many kinds of errors
        raise NotProven(str(error)) from error
    return Registered(
        credential=bytes_to_base64url(made.credential_id),
        key=bytes_to_base64url(made.credential_public_key),
        count=made.sign_count,
        synced=made.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
        transports=transports,
    )


def claimed(answer: str) -> Claimed:
    """Return which passkey an answer says it is of; nothing is verified.

    Raises: NotProven.
    """
    try:
        sent = _object(answer)
        credential, handle = sent["rawId"], sent["response"]["userHandle"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotProven(str(error)) from error
    if not isinstance(credential, str) or not isinstance(handle, str):
        raise NotProven("expected two texts")
    return Claimed(credential=credential.rstrip("="), handle=handle.rstrip("="))


def signed(answer: str, place: RelyingParty, challenge: bytes, passkey: Passkey) -> int:
    """Return how many signatures a passkey counts, once it is verified that it signed a challenge here.

    The count is judged by whoever records it (domain/people/passkeys.py).

    Raises: NotProven.
    """
    import webauthn
    from webauthn.helpers import base64url_to_bytes

    try:
        verified = webauthn.verify_authentication_response(
            credential=_object(answer),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=base64url_to_bytes(passkey.key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # as above
        raise NotProven(str(error)) from error
    return verified.new_sign_count


def _object(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST:
        raise NotProven("longer than any passkey answers")
    sent = json.loads(answer)
    if not isinstance(sent, dict):
        raise NotProven("expected an object")
    return sent
