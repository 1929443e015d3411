"""All commands as one tagged union, and their JSON form, which the JSON interface takes."""

import re
from decimal import Decimal

import msgspec

from domain.agreement.share import ShareCommand
from domain.language import gettext as _
from domain.people.access import AccessCommand
from domain.plan.project import ProjectCommand

AnyCommand = ProjectCommand | ShareCommand | AccessCommand

_decoder = msgspec.json.Decoder(AnyCommand)
_NUMBER = re.compile(r"-?\d+(\.\d+)?(E[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_encoder = msgspec.json.Encoder(order="deterministic")


def decode(payload: bytes) -> AnyCommand:
    """Return the command in a JSON object, whose `type` names it.

    Raises: msgspec.ValidationError (or DecodeError) that names the field and what was expected.
    """
    try:
        command: AnyCommand = _decoder.decode(payload)
        _plainly(command, msgspec.json.decode(payload), "$")
    except RecursionError:
        raise msgspec.DecodeError(_("It is nested too deeply")) from None
    except UnicodeDecodeError:
        raise msgspec.DecodeError(_("Its text is not UTF-8")) from None
    return command


def _plainly(read: object, sent: object, path: str) -> None:
    """Raise ValidationError where a number was not sent with the decimal point alone: "1_000", " 12 ", "NaN"."""
    if isinstance(read, Decimal):
        if isinstance(sent, str) and not _NUMBER.fullmatch(sent):
            message = _("Expected a number such as 1250.50, got {sent!r} - at `{path}`", sent=sent[:40], path=path)
            raise msgspec.ValidationError(message)
    elif isinstance(read, msgspec.Struct) and isinstance(sent, dict):
        for name in read.__struct_fields__:
            _plainly(getattr(read, name), sent.get(name), f"{path}.{name}")
    elif isinstance(read, tuple) and isinstance(sent, list):
        for number, (one, its) in enumerate(zip(read, sent, strict=True)):
            _plainly(one, its, f"{path}[{number}]")


def encode(command: AnyCommand) -> bytes:
    """Return the command as JSON, the same bytes for the same command."""
    return _encoder.encode(command)
