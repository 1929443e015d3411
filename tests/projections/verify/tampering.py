"""Ways to alter what is stored, by plain SQL on the files: what an operator with every right could do."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

Tamper = Callable[[sqlite3.Connection, str], object]


def alter(path: Path, tamper: Tamper, stream: str) -> None:
    """Alter one file; nothing of ours is running."""
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM stored_events WHERE originator_id = ?", (stream,)).fetchone()[0] > 4
        tamper(db, stream)
    db.close()


def _state(db: sqlite3.Connection, stream: str, n: int) -> bytes:
    asked = "SELECT state FROM stored_events WHERE originator_id = ? AND originator_version = ?"
    return bytes(db.execute(asked, (stream, n)).fetchone()[0])


def _put(db: sqlite3.Connection, stream: str, n: int, state: bytes) -> None:
    asked = "UPDATE stored_events SET state = ? WHERE originator_id = ? AND originator_version = ?"
    assert db.execute(asked, (state, stream, n)).rowcount == 1


def flip(n: int, where: float) -> Tamper:
    """Flip one bit of row n, that far into it (0 to 1)."""

    def change(db: sqlite3.Connection, stream: str) -> None:
        state = bytearray(_state(db, stream, n))
        state[min(int(len(state) * where), len(state) - 1)] ^= 1
        _put(db, stream, n, bytes(state))

    return change


def delete(n: int) -> Tamper:
    """Take row n away and leave a hole."""
    return lambda db, stream: db.execute(
        "DELETE FROM stored_events WHERE originator_id = ? AND originator_version = ?", (stream, n)
    )


def close_up(n: int) -> Tamper:
    """Take row n away and renumber what follows, so that there is no hole."""

    def change(db: sqlite3.Connection, stream: str) -> None:
        delete(n)(db, stream)
        last = db.execute(
            "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?", (stream,)
        ).fetchone()[0]
        for k in range(n + 1, last + 1):
            db.execute(
                "UPDATE stored_events SET originator_version = ? WHERE originator_id = ? AND originator_version = ?",
                (k - 1, stream, k),
            )

    return change


def swap(a: int, b: int) -> Tamper:
    """Exchange two rows."""

    def change(db: sqlite3.Connection, stream: str) -> None:
        first, second = _state(db, stream, a), _state(db, stream, b)
        _put(db, stream, a, second)
        _put(db, stream, b, first)

    return change


def copy(a: int, b: int) -> Tamper:
    """Put row a in the place of row b."""
    return lambda db, stream: _put(db, stream, b, _state(db, stream, a))


def cut(n: int) -> Tamper:
    """Take away row n and everything after it."""
    return lambda db, stream: db.execute(
        "DELETE FROM stored_events WHERE originator_id = ? AND originator_version >= ?", (stream, n)
    )


def head_cut(n: int) -> Tamper:
    """Take away everything before row n."""
    return lambda db, stream: db.execute(
        "DELETE FROM stored_events WHERE originator_id = ? AND originator_version < ?", (stream, n)
    )


def all_gone(db: sqlite3.Connection, stream: str) -> None:
    """Take the whole stream away."""
    db.execute("DELETE FROM stored_events WHERE originator_id = ?", (stream,))


MATRIX: dict[str, tuple[Tamper, int]] = {  # what is done, and the first number that is wrong by it
    **{f"flip {n} at {where}": (flip(n, where), n) for n in (1, 5, 9) for where in (0.0, 0.02, 0.3, 0.6, 1.0)},
    "delete 1": (delete(1), 1),
    "delete 5": (delete(5), 5),
    "delete the last": (delete(12), 12),
    "delete 5 and close up": (close_up(5), 5),
    "swap 4 and 7": (swap(4, 7), 4),
    "copy 3 over 6": (copy(3, 6), 6),
    "cut from 8": (cut(8), 8),
    "cut the head": (head_cut(4), 1),
}
