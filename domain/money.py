"""Money: a decimal amount with its ISO 4217 code.

Rule: amounts of different currencies are never added or subtracted.
"""

from decimal import Decimal

import msgspec


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were to be added or subtracted."""


class Money(msgspec.Struct, frozen=True, order=False):
    """An amount in one currency, in whole units (pounds, not pence)."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            message = f"expected an amount in {self.currency}, got {other.currency}"
            raise CurrencyMismatch(message)
        return other.amount
