"""Why a picture is not taken."""


class PictureRefused(Exception):
    """A picture cannot be taken; the message says why, and what to do."""
