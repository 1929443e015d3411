"""The signing key of the installation, in a file of its own, and the notary that signs with it.

Rule: the key file is not part of a backup of the logs. It is made once, in a folder at the first start, for a database
by `fanlight migrate` alone: when several processes start together they have one key, and a record that was signed
never gets another without a word.
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from domain.language import gettext as _
from projections.evidence.notary import Notary
from projections.installation.folder import Logs
from projections.logs.ledger import Statement
from projections.proof.notes import NAME, Signer, open_key, signer, verification_key
from web.ids import new_id
from web.process.cosigners import TimeStamping, Witness
from web.settings import BadSetting, Settings


def signing_key(path: Path) -> Signer:
    """Return the key in a file: two lines, its name and 32 secret bytes in hex. A missing file is made.

    Raises: BadSetting.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _make(path)
    return _read(path)


def _read(path: Path) -> Signer:
    """Return the key in a file.

    Raises: BadSetting.
    """
    try:
        name, _sep, seed = path.read_text().strip().partition("\n")
        key = signer(name, bytes.fromhex(seed)) if NAME.fullmatch(name) else None
    except OSError as error:
        told = _("{path} cannot be read: {strerror}", path=path, strerror=error.strerror)
        raise BadSetting(_("{told}. Let the user that Fanlight runs as own it.", told=told)) from None
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
    key = _key_of(folder, settings)
    return Notary(folder, key, clock, witness=witness, stamp=stamp, stopping=stopping)


def made_for(folder: Logs, path: Path) -> Signer | None:
    """Make the key of an installation that has signed nothing yet; return it, None where nothing was to be made.

    Raises: BadSetting, BadNote.
    """
    return None if path.exists() or names_of(folder) else signing_key(path)


def _key_of(folder: Logs, settings: Settings) -> Signer:
    """Return the key of an installation. One that has signed already has no other made for it, nor has a database:
    processes on several machines would each make their own.

    Raises: BadSetting, BadNote.
    """
    path, names = settings.key_file, names_of(folder)
    if not names and settings.database_url and not path.exists():
        told = _("{path} is missing. fanlight migrate makes it, once", path=path)
        raise BadSetting(_("{told}; every process needs that file. Put it there, or run it here.", told=told))
    if names and not path.exists():
        told = _("{path} is missing, and this record is signed with the key of {name}", path=path, name=names[-1][0])
    elif names and (key := _read(path)).name not in [name for name, _public in names]:
        told = _("{path} holds the key of {other}", path=path, other=key.name)
        told = _("{told}, and this record is signed with that of {name}", told=told, name=names[-1][0])
    else:
        return signing_key(path)
    raise BadSetting(
        _("{told}. Put signing.key back from where you keep it. If it is lost for ever: fanlight key lost", told=told)
    )


def names_of(folder: Logs) -> list[tuple[str, bytes]]:
    """Return every name that a record was signed in, with the first key of each, oldest first.

    Raises: BadNote.
    """
    return [open_key(line.statement.text) for line in folder.ledger.every("key-added")]


def begun_anew(folder: Logs, path: Path, at: datetime) -> Signer:
    """Record that the key is lost and another signs from now on, in a name of its own; return it.

    Raises: BadSetting where nothing is lost.
    """
    known = [name for name, _public in names_of(folder)]
    if not known or (path.exists() and _read(path).name in known):
        raise BadSetting(_("The key in {path} is the one this record is signed with. Nothing is lost.", path=path))
    key = signing_key(path)
    text = verification_key(key.name, key.public)
    folder.ledger.append(Statement(kind="key-added", at=at, who="operator", subject=key.name, text=text))
    return key


def _make(path: Path) -> None:
    """Make a key in a file, unless another process makes it at this moment: then that one is the key."""
    new = _written(path, signer(f"fanlight/{new_id(16)}", os.urandom(32)))
    try:
        os.link(new, path)  # fails where it is there already, as `replace` would not
    except FileExistsError:
        pass
    finally:
        new.unlink()


def write(path: Path, key: Signer) -> None:
    """Write a key to its file in place of the one there, atomically and readable by this user only."""
    _written(path, key).replace(path)


def _written(path: Path, key: Signer) -> Path:
    """Write a key to a file of its own beside `path`, durably, and return where."""
    new = path.with_name(f"{path.name}.{new_id(8)}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{key.name}\n{key.seed.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    return new


def renewed(key: Signer) -> Signer:
    """Return a new key with the same name."""
    return signer(key.name, os.urandom(32))
