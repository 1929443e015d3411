"""The brand of the organisation: its name, its look, and the name its emails come from."""

import re

import msgspec

from domain import check
from domain.errors import Invalid
from domain.language import gettext as _
from domain.look import colour
from domain.look.look import Look, Picture
from domain.message import Command, Event

ICON_APART = 1.1  # how much longer than the other one side of the icon may be

# events


class OrganisationNamed(Event, frozen=True, kw_only=True):
    name: str


class BrandSet(Event, frozen=True, kw_only=True):
    """How the organisation's pages look from now on, and which name its emails come from."""

    look: Look
    sender: str = ""  # "": the name of the organisation


BrandEvent = OrganisationNamed | BrandSet

# state


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    look: Look | None = None  # None until one was set: the product's own
    sender: str = ""

    @property
    def sender_name(self) -> str:
        """The name emails come from, "" where the organisation has none."""
        return self.sender or self.name


def evolve(state: Brand, event: BrandEvent) -> Brand:
    """Return the brand after `event`."""
    match event:
        case OrganisationNamed(name=name):
            return msgspec.structs.replace(state, name=name)
        case BrandSet(look=look, sender=sender):
            return msgspec.structs.replace(state, look=look, sender=sender)


# commands


class NameOrganisation(Command, frozen=True, kw_only=True):
    name: str


class SetBrand(Command, frozen=True, kw_only=True):
    """Name the organisation and set its look, in one; pictures were kept before (docs/spec.md 2.3)."""

    name: str
    accent: str = ""  # a colour, #rrggbb; "": the product's own
    logo: Picture | None = None
    logo_dark: Picture | None = None
    icon: Picture | None = None
    sender: str = ""

    @property
    def pictures(self) -> dict[str, Picture]:
        """The pictures it names, by field."""
        named = {"logo": self.logo, "logo_dark": self.logo_dark, "icon": self.icon}
        return {field: one for field, one in named.items() if one is not None}


BrandCommand = NameOrganisation | SetBrand


def decide(state: Brand, command: BrandCommand) -> list[BrandEvent]:
    """Return the events that carry out `command`; none where everything is so already.

    Raises: Invalid.
    """
    name = check.line("name", command.name)
    found: list[BrandEvent] = [] if name == state.name else [OrganisationNamed(name=name)]
    if isinstance(command, NameOrganisation):
        return found
    look, sender = look_of(command), check.line("sender", command.sender, required=False)
    if look != (state.look or Look()) or sender != state.sender:
        found.append(BrandSet(look=look, sender=sender))
    return found


def look_of(command: SetBrand) -> Look:
    """Return the look that a command asks for.

    Raises: Invalid.
    """
    for field, picture in command.pictures.items():
        _check(field, picture)
    if command.logo_dark is not None and command.logo is None:
        raise Invalid(_("A logo for the dark scheme needs one for the light scheme beside it."), "logo")
    return Look(
        accent=colour.accent_of("accent", command.accent) if command.accent.strip() else None,
        logo=command.logo,
        logo_dark=command.logo_dark,
        icon=command.icon,
    )


def _check(field: str, picture: Picture) -> None:
    if not re.fullmatch(r"[0-9a-f]{64}", picture.sha256) or min(picture.width, picture.height) < 1:
        raise Invalid(_("This names no picture that was kept. Upload it first."), field)
    long, short = max(picture.width, picture.height), min(picture.width, picture.height)
    if field == "icon" and long > short * ICON_APART:
        told = _("The icon is {width} by {height}; expected a square one.", width=picture.width, height=picture.height)
        raise Invalid(told, field)
