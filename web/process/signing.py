"""The signing key of the installation, in a file of its own, and the notary that signs with it.

Rule: the key file is made at the first start and is not part of a backup of the logs.
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from domain.language import gettext as _
from projections.evidence.notary import Notary
from projections.installation.folder import Logs
from projections.proof.notes import NAME, Signer, signer
from web.ids import new_id
from web.process.cosigners import TimeStamping, Witness
from web.settings import BadSetting, Settings


def signing_key(path: Path) -> Signer:
    """Return the key in a file: two lines, its name and 32 secret bytes in hex. A missing file is made.

    Raises: BadSetting.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, signer(f"fanlight/{new_id(16)}", os.urandom(32)))
    name, _sep, seed = path.read_text().strip().partition("\n")
    try:
        key = signer(name, bytes.fromhex(seed)) if NAME.fullmatch(name) else None
    except ValueError:
        key = None
    if key is None:
        message = _(
            "{path} holds no signing key; expected two lines, a name and 64 hex digits. Put the right file back.",
            path=path,
        )
        raise BadSetting(message)
    return key


def notary(
    folder: Logs,
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    stopping: Callable[[], bool] = lambda: False,
) -> Notary:
    """Return the notary of these logs, with the witness and the time stamps that the settings ask for.

    Raises: BadSetting, BadNote.
    """
    witness = Witness(settings.witness_url, settings.witness_key) if settings.witness_url else None
    stamp = TimeStamping(settings.timestamp_url) if settings.timestamp_url else None
    return Notary(folder, signing_key(settings.key_file), clock, witness=witness, stamp=stamp, stopping=stopping)


def write(path: Path, key: Signer) -> None:
    """Write a key to its file, atomically and readable by this user only."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{key.name}\n{key.seed.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def renewed(key: Signer) -> Signer:
    """Return a new key with the same name."""
    return signer(key.name, os.urandom(32))
