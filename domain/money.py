"""Money: a decimal amount with its ISO 4217 code.

Rule: amounts of different currencies are never added or subtracted.
"""

from decimal import Decimal

import msgspec

# Decimal places of currencies by ISO 4217 (list one, June 2024), where they are not two.
_PLACES = (
    dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    )
    | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
    | dict.fromkeys(["CLF", "UYW"], 4)
)


def places(currency: str) -> int:
    """Return how many decimal places a currency (ISO 4217) is written with: 2 of GBP, 0 of JPY, 3 of KWD."""
    return _PLACES.get(currency, 2)


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
