"""Words of each status and the tone (the colour) in which staff pages show it."""

from domain.language import N_, Said

TONE = {"on_track": "ok", "at_risk": "warn", "off_track": "bad", "overdue": "bad", "met": "done", "planned": "none"}


WORD = Said(
    {
        "on_track": N_("On track"),
        "at_risk": N_("At risk"),
        "off_track": N_("Off track"),
        "overdue": N_("Overdue"),
        "met": N_("Met"),
        "planned": N_("No agreed date"),
    }
)


BANDS = {"low": "ok", "medium": "warn", "high": "bad"}
