"""The verdicts of a shadow replay in words."""

from projections.follow.shadow import State

WORDS: dict[State, str] = {
    "same": "the same, byte for byte",
    "differs": "different today",
    "erased": "erased, not comparable",
    "damaged": "unreadable",
    "extra": "recorded, and nothing today would record it",
    "missing": "never recorded, and today it would be",
}


FINE = ("same", "erased")
