"""Sentences a person reads, each known by its message id in the catalogue `web/locale/fanlight.pot`.

Rule: the message id is the English sentence. Values are named, never joined to a sentence from pieces, so that a
translator can put them in another order. Only English exists today; a catalogue of another language is looked up here.
"""


def gettext(message: str, /, **values: object) -> str:
    """Return the sentence with its values filled in, as `str.format` does; import it as `_`."""
    return message.format(**values) if values else message


def N_(message: str, /) -> str:  # noqa: N802  # the name every gettext tool looks for
    """Mark a sentence for the catalogue where it is a constant, and return it unchanged."""
    return message
