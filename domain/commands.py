"""All commands as one tagged union, and their JSON form, which the JSON interface takes."""

import msgspec

from domain.agreement.share import ShareCommand
from domain.language import gettext as _
from domain.people.access import AccessCommand
from domain.plan.project import ProjectCommand

AnyCommand = ProjectCommand | ShareCommand | AccessCommand

_decoder = msgspec.json.Decoder(AnyCommand)
_encoder = msgspec.json.Encoder(order="deterministic")


def decode(payload: bytes) -> AnyCommand:
    """Return the command in a JSON object, whose `type` names it.

    Raises: msgspec.ValidationError (or DecodeError) that names the field and what was expected.
    """
    try:
        command: AnyCommand = _decoder.decode(payload)
    except RecursionError:
        raise msgspec.DecodeError(_("It is nested too deeply")) from None
    except UnicodeDecodeError:
        raise msgspec.DecodeError(_("Its text is not UTF-8")) from None
    return command


def encode(command: AnyCommand) -> bytes:
    """Return the command as JSON, the same bytes for the same command."""
    return _encoder.encode(command)
