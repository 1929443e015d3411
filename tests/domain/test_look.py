"""Colours by the formulas of WCAG 2.2, an accent that can be read in both schemes, and a brand as commands and events."""

import re
from pathlib import Path

import pytest
from hypothesis import given, strategies

from domain.errors import Invalid
from domain.look import colour
from domain.look.look import Look, Picture
from domain.people import brand
from domain.people.brand import Brand, BrandSet, NameOrganisation, OrganisationNamed, SetBrand

pytestmark = pytest.mark.once

CSS = Path(__file__).parents[2] / "web" / "static" / "dashboard.css"
LOGO = Picture(sha256="ab" * 32, kind="svg", width=120, height=40)
SET = SetBrand(name="Example Works", accent="#0a7d5a", logo=LOGO)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),  # the grey that famously fails
        ("#767676", "#ffffff", 4.54),  # and the one that passes
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_contrast_is_what_wcag_has_it(one: str, other: str, ratio: float) -> None:
    assert colour.contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert colour.contrast(other, one) == colour.contrast(one, other)


def test_the_grounds_are_those_of_the_stylesheet() -> None:
    css = CSS.read_text()
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    for scheme, text in (("light", light), ("dark", dark)):
        grounds = [re.search(rf"--{name}: (#\w+);", text)[1] for name in ("bg", "raise", "sunk")]  # type: ignore[index]
        assert tuple(colour.parsed("", one) for one in grounds) == colour.GROUNDS[scheme]


@given(strategies.integers(0, 0xFFFFFF))
def test_any_accent_is_legible_on_every_ground_and_as_a_ground(value: int) -> None:
    accent = colour.accent_of("accent", f"#{value:06x}")
    for scheme, shade in (("light", accent.light), ("dark", accent.dark)):
        for ground in (*colour.GROUNDS[scheme], shade.tint):
            assert colour.contrast(shade.colour, ground) >= 4.5  # text and links; more than 3:1, as controls need
        assert colour.contrast(colour.GROUNDS[scheme][0], shade.colour) >= 4.5  # the text on a primary button
        ink = {"light": "#191a1c", "dark": "#eceae6"}[scheme]
        assert colour.contrast(ink, shade.tint) >= 4.5  # what is written where something is new
    for found in colour.findings(accent):
        assert found.used >= 4.5
        assert found.adjusted == (found.asked < 4.5) == (found.colour != accent.asked)


def test_a_colour_that_can_be_read_stays_as_it_is_and_another_is_said_with_its_figures() -> None:
    light, dark = colour.findings(colour.accent_of("accent", "#234e9e"))
    assert (light.colour, light.adjusted) == ("#234e9e", False)
    assert dark.adjusted
    assert (round(dark.asked, 1), dark.used >= 4.5) == (2.0, True)


@pytest.mark.parametrize("text", ["", "red", "#12345", "#1234567", "rgb(1,2,3)", "#12345g", "url(#a)", "#１２３"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is no colour"):
        colour.parsed("accent", text)


def test_a_colour_may_be_typed_in_short() -> None:
    assert colour.parsed("accent", " 0A7 ") == "#00aa77"


def test_a_brand_is_set_in_one_and_only_what_changed_is_recorded() -> None:
    named, look = brand.decide(Brand(), SET)
    assert isinstance(named, OrganisationNamed)
    assert isinstance(look, BrandSet)
    assert look.look.accent is not None
    assert look.look.accent.light.colour == "#0a7957"  # darkened: 4.3:1 as it was asked for
    state = brand.evolve(brand.evolve(Brand(), named), look)
    assert (state.name, state.look, state.sender_name) == ("Example Works", look.look, "Example Works")
    assert brand.decide(state, SET) == []
    assert brand.decide(state, NameOrganisation(name="Works")) == [OrganisationNamed(name="Works")]
    plain = brand.decide(state, SetBrand(name="Example Works"))
    assert plain == [BrandSet(look=Look())]
    assert brand.evolve(state, plain[0]).look == Look()  # and not None: each page had a place for it by then
    assert brand.decide(Brand(name="Example Works"), SetBrand(name="Example Works")) == []


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (SetBrand(name=""), "name"),
        (SetBrand(name="x" * 201), "name"),
        (SetBrand(name="Works", sender="two\nlines"), "sender"),
        (SetBrand(name="Works", accent="blue"), "accent"),
        (SetBrand(name="Works", logo_dark=LOGO), "logo"),
        (SetBrand(name="Works", icon=LOGO), "icon"),
        (SetBrand(name="Works", logo=Picture(sha256="../x", kind="svg", width=1, height=1)), "logo"),
        (SetBrand(name="Works", logo=Picture(sha256="ab" * 32, kind="png", width=0, height=1)), "logo"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(command: SetBrand, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        brand.decide(Brand(), command)
    assert refused.value.field == field
