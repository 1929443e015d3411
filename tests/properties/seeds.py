"""For each seeded leak the first seed that shows it, so that a run need not look for it again.

Rule: a stored seed only says where to look first. A leak that it does not show is searched for as if none were stored, and
the warning that comes with it says what to store instead; a leak that no seed shows fails its test.
"""

import os
import warnings
from collections.abc import Callable, Iterable

STORED: dict[str, dict[str, int]] = {}


class StoredSeed(UserWarning):
    """A leak is shown by another seed than the one that is stored for it."""


def search(kind: str, name: str, shows: Callable[[int], bool], seeds: Iterable[int]) -> int | None:
    """Return a seed that shows a leak: the stored one, else the first of `seeds`, else None.

    With SEED set nothing stored is used: that is how other stories are tried.
    """
    if "SEED" in os.environ:
        return next((seed for seed in seeds if shows(seed)), None)
    stored = STORED.get(kind, {}).get(name, 0)
    if stored and shows(stored):
        return stored
    found = next((seed for seed in seeds if seed != stored and shows(seed)), None)
    if found is not None:
        warnings.warn(f"{kind}: {name!r} is shown by seed {found}, stored is {stored}: renew it", StoredSeed, 2)
    return found
