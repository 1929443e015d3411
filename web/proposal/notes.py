"""`Notes`: what a person should know of a comparison; of many of one kind the first are told, the rest counted."""

from domain.language import gettext as _

TOLD = 3  # of one kind


class Notes:
    """Collects sentences by kind."""

    def __init__(self) -> None:
        self._kinds: dict[str, list[str]] = {}
        self._more: dict[str, int] = {}

    def add(self, kind: str, sentence: str) -> None:
        """Keep a sentence; `kind` is the message id it was made from."""
        told = self._kinds.setdefault(kind, [])
        if len(told) < TOLD:
            told.append(sentence)
        else:
            self._more[kind] = self._more.get(kind, 0) + 1

    def all(self) -> list[str]:
        """Return the sentences, kind by kind."""
        found: list[str] = []
        for kind, told in self._kinds.items():
            found += told
            if more := self._more.get(kind):
                found.append(_("The same of {n} more.", n=more))
        return found
