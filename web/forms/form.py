"""A form for one command: its fields, what was typed, what is wrong with it, and the command it stands for."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from domain.errors import Refused
from domain.language import gettext as _
from domain.message import Command
from web.forms.fields import Field, Typed, Unfit, read, typed_value


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The form by which a person sends one command."""

    command: type[Command]
    title: str
    button: str
    fields: tuple[Field, ...] = ()
    fixed: dict[str, Any] = {}  # values from the address: project, milestone, risk
    slot: str  # id of the element the form opens in
    note: str = ""
    about: Any = None  # what the form changes, as it is now
    problems: dict[str, str] = {}  # sentences by field name
    problem: str = ""  # a sentence about the whole form
    fold: tuple[str, ...] = ()  # names of the fields under "More"
    offers: tuple[tuple[str, str], ...] = ()  # what fills the form in: a label, and the query of its address
    meant: frozenset[str] = frozenset()  # what a tick says, or has said, is meant: dates, regions
    asks: bool = False  # whether the form comes back with that tick

    @property
    def tag(self) -> str:
        return str(self.command.__struct_config__.tag)

    @property
    def seen(self) -> str:
        """A fingerprint of what the form changes; when it has changed on sending, somebody else was faster."""
        if self.about is None:
            return ""
        return hashlib.sha256(msgspec.json.encode(self.about, order="deterministic")).hexdigest()[:16]

    def at(self, name: str) -> Field:
        """Return a field by its name."""
        return next(field for field in self.fields if field.name == name)


class Doubt(Exception):  # shown by the form, not an error of ours
    """What was typed can be read, and is not likely to be meant. `questions`: a sentence by field name."""

    def __init__(self, questions: Mapping[str, str], meant: frozenset[str]) -> None:
        super().__init__("; ".join(questions.values()))
        self.questions = dict(questions)
        self.meant = meant  # what a tick will stand for


def filled(form: Form, typed: Typed) -> Form:
    """Return the form with what was typed in its fields."""
    fields = tuple(msgspec.structs.replace(f, value=typed_value(f, typed)) for f in form.fields)
    meant = frozenset(" ".join(typed.get("meant", ())).split())
    return msgspec.structs.replace(form, fields=fields, meant=meant)


def command_of(form: Form, typed: Typed) -> Command:
    """Return the command that a form and what was typed into it stand for.

    Raises: Unfit.
    """
    values = read(form.fields, typed) | form.fixed
    try:
        return msgspec.convert(values, form.command)
    except msgspec.ValidationError as error:
        raise Unfit({"": _("This form does not fit: {error}. Reload the page and try again.", error=error)}) from None


def told(form: Form, error: Refused | Unfit | Doubt) -> Form:
    """Return the form with a refusal or a question shown in it, each sentence at its field."""
    if isinstance(error, Doubt):
        return _with(msgspec.structs.replace(form, meant=error.meant, asks=True), error.questions)
    if isinstance(error, Unfit):
        return _with(form, error.problems)
    return _with(form, {_field_name(form, error.field): error.message})


def _with(form: Form, problems: Mapping[str, str]) -> Form:
    at_fields = {name: text for name, text in problems.items() if name}
    return msgspec.structs.replace(form, problems=at_fields, problem=problems.get("", ""))


def _field_name(form: Form, field: str) -> str:
    """Return the name of the form's field that a refusal names, "" where it is about the whole form."""
    if not field:
        return ""
    exact = [f.name for f in form.fields if f.name.split(".")[-1] == field]
    within = [f.name for f in form.fields if field in f.name.split(".")]
    return next(iter(exact + within), "")
