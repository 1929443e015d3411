"""A map whose versions share what did not change: an earlier version costs little to keep, and is never altered.

Rule: `still` returns a version that later writes do not touch. It takes no longer for many entries than for few; the
write after it copies at most about as many entries as the square root of all.
"""

import math
from collections.abc import ItemsView, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from typing import Any, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")
FEWEST = 16  # changed entries that are kept beside the others before they are put among them
_ABSENT: Any = object()
_GONE: Any = object()


class Sharing(MutableMapping[K, V]):
    """The map, in the order in which its keys first came. One thread writes; any may read a version that is still.

    While no version was asked for, writes go into one dict. After that the dict is shared, and what changed lies beside
    it in a small one, which is shared in the same way.
    """

    __slots__ = ("_base", "_beside", "_count", "_lent", "_ours", "_read_only", "_version")

    def __init__(self, entries: Mapping[K, V] | None = None) -> None:
        self._base: dict[K, V] = dict(entries or {})
        self._beside: dict[K, V] = {}  # what is otherwise than in the base, or gone
        self._ours = True  # nobody else has the base, and nothing lies beside it
        self._lent = False  # somebody else has what lies beside it
        self._count = 0  # of all entries, where the base is shared
        self._read_only = False  # it is a version that several have
        self._version: Sharing[K, V] | None = None  # the one that was asked for since the last write

    def still(self) -> "Sharing[K, V]":
        """Return this version; whatever is written later to this map or to that one is not in the other."""
        made: Sharing[K, V] = Sharing.__new__(Sharing)
        self._count = len(self)
        made._base, made._beside, made._count = self._base, self._beside, self._count
        made._ours = self._ours = False
        made._lent = self._lent = True
        made._version, made._read_only = None, False
        return made

    def version(self) -> "Sharing[K, V]":
        """Return this version, to read alone: the same map for whoever asks until the next write to this one."""
        if self._read_only:
            return self
        if self._version is None:
            made: Sharing[K, V] = self.still()
            self._version = made
            made._read_only = True
        return self._version

    def _written(self) -> None:
        """Let go of the version that was asked for; one that others have as well is never written to."""
        if self._read_only:
            message = "this version is only read: take one of your own (`still`) to write to"
            raise TypeError(message)
        self._version = None

    def __getitem__(self, key: K) -> V:
        if self._beside:
            value: V = self._beside.get(key, _ABSENT)
            if value is _GONE:
                raise KeyError(key)
            if value is not _ABSENT:
                return value
        return self._base[key]

    @overload
    def get(self, key: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V, /) -> V: ...
    @overload
    def get(self, key: K, default: D, /) -> V | D: ...
    def get(self, key: K, default: Any = None, /) -> Any:
        """Return the value of a key, `default` where there is none."""
        if self._beside:
            value = self._beside.get(key, _ABSENT)
            if value is _GONE:
                return default
            if value is not _ABSENT:
                return value
        return self._base.get(key, default)

    def __contains__(self, key: object) -> bool:
        beside: dict[Any, Any] = self._beside
        found = beside.get(key, _ABSENT) if beside else _ABSENT
        return key in self._base if found is _ABSENT else found is not _GONE

    def __setitem__(self, key: K, value: V) -> None:
        if self._version is not None or self._read_only:
            self._written()
        if self._ours:
            self._base[key] = value
            return
        self._count += key not in self
        self._put(key, value)

    def __delitem__(self, key: K) -> None:
        if key not in self:
            raise KeyError(key)
        if self._version is not None or self._read_only:
            self._written()
        if self._ours:
            del self._base[key]
            return
        self._count -= 1
        self._put(key, _GONE)

    def _put(self, key: K, value: V) -> None:
        if self._lent:
            self._beside, self._lent = dict(self._beside), False
        self._beside[key] = value
        if len(self._beside) > max(FEWEST, math.isqrt(len(self._base))):
            self._base, self._beside, self._ours = self._whole(), {}, True

    def _whole(self) -> dict[K, V]:
        """Return all entries as one dict, the base itself where nothing lies beside it."""
        if not self._beside:
            return self._base
        whole = self._base | self._beside
        for key in [key for key, value in self._beside.items() if value is _GONE]:
            del whole[key]
        return whole

    def forget(self) -> None:
        """Let go of what is gone: this version and later ones hold nothing of it."""
        self._written()
        self._base, self._beside, self._ours, self._lent = dict(self._whole()), {}, True, False

    def __len__(self) -> int:
        return len(self._base) if self._ours else self._count

    def __iter__(self) -> Iterator[K]:
        return iter(self._whole())

    def __reversed__(self) -> Iterator[K]:
        return reversed(self._whole())

    def keys(self) -> KeysView[K]:
        """Return the keys."""
        return self._whole().keys()

    def values(self) -> ValuesView[V]:
        """Return the values."""
        return self._whole().values()

    def items(self) -> ItemsView[K, V]:
        """Return the entries."""
        return self._whole().items()

    def __repr__(self) -> str:
        return f"Sharing({self._whole()!r})"
