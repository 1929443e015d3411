"""The verdicts of a recomputation of a share's entries in words."""

from domain.language import N_, Said
from projections.follow.shadow import State

WORDS: dict[State, str] = Said(
    {
        "same": N_("the same, byte for byte"),
        "differs": N_("different today"),
        "erased": N_("erased, not comparable"),
        "damaged": N_("unreadable"),
        "extra": N_("recorded, and nothing today would record it"),
        "missing": N_("never recorded, and today it would be"),
    }
)

FINE = ("same", "erased")
