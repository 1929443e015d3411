"""A form as a browser sent it: under each name its texts, in the order they were sent."""

from collections.abc import Mapping, Sequence

from starlette.datastructures import FormData

Typed = Mapping[str, Sequence[str]]


def typed_in(form: FormData) -> dict[str, Sequence[str]]:
    """Return the texts of a form; uploaded files are left out."""
    return {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in form}


def first(typed: Typed, name: str) -> str:
    """Return the first text under a name, "" where there is none."""
    texts = typed.get(name, ())
    return texts[0] if texts else ""
