"""Status words and their tones, as staff pages show them."""

TONE = {"on_track": "ok", "at_risk": "warn", "off_track": "bad", "met": "done", "planned": "none"}


WORD = {"on_track": "On track", "at_risk": "At risk", "off_track": "Off track", "met": "Met", "planned": "Not agreed"}


BANDS = {"low": "ok", "medium": "warn", "high": "bad"}
