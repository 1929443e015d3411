"""Share agreements: drafted, put in force by version, amended, ended."""

import pytest

from domain.agreement.share import (
    ActivateTerms,
    DraftShare,
    DraftTerms,
    RevokeShare,
    ShareDrafted,
    ShareRevoked,
    TermsActivated,
    TermsDrafted,
)
from domain.agreement.terms import Terms
from domain.errors import Conflict, Invalid, Unknown
from tests.spec import given

pytestmark = pytest.mark.once

S = "s1"
FEW = Terms(milestones="all", milestone_fields=("forecast",))
MORE = Terms(milestones="all", milestone_fields=("baseline", "forecast", "slip"))
DRAFTED = ShareDrafted(share=S, project="harbour", client="acme", terms=FEW)
IN_FORCE = TermsActivated(version=1, terms=FEW, reason="Agreed")


def test_a_share_is_drafted_and_shares_nothing_until_it_is_in_force() -> None:
    given().when(DraftShare(share=S, project="harbour", client="acme", terms=FEW)).then(DRAFTED)
    assert not given(DRAFTED).state().active


def test_terms_come_into_force_by_number_with_a_reason() -> None:
    given(DRAFTED).when(ActivateTerms(share=S, reason="Agreed")).then(IN_FORCE)
    given(DRAFTED).when(ActivateTerms(share=S, reason="")).refused(Invalid, "Reason is missing", "reason")
    draft = TermsDrafted(terms=MORE)
    second = TermsActivated(version=2, terms=MORE, reason="Wider")
    given(DRAFTED, IN_FORCE, draft).when(ActivateTerms(share=S, reason="Wider")).then(second)
    assert given(DRAFTED, IN_FORCE, draft).state().terms == FEW
    assert given(DRAFTED, IN_FORCE, draft, second).state().terms == MORE


def test_there_has_to_be_a_draft_that_differs() -> None:
    given(DRAFTED, IN_FORCE).when(ActivateTerms(share=S, reason="x")).refused(Conflict, "no draft")
    same = TermsDrafted(terms=FEW)
    given(DRAFTED, IN_FORCE, same).when(ActivateTerms(share=S, reason="x")).refused(Conflict, "says the same")


def test_drafting_the_same_again_records_nothing() -> None:
    given(DRAFTED).when(DraftTerms(share=S, terms=FEW)).then()
    given(DRAFTED).when(DraftTerms(share=S, terms=MORE)).then(TermsDrafted(terms=MORE))
    given(DRAFTED, IN_FORCE).when(DraftTerms(share=S, terms=FEW)).then()
    back = given(DRAFTED, IN_FORCE, TermsDrafted(terms=MORE)).when(DraftTerms(share=S, terms=FEW))
    back.then(TermsDrafted(terms=FEW))


def test_a_share_names_everything_by_an_id() -> None:
    for changed in ({"share": "a b"}, {"project": ""}, {"client": "x/y"}, {"terms": Terms(milestones=("<m>",))}):
        fields = {"share": S, "project": "harbour", "client": "acme", "terms": FEW} | changed
        given().when(DraftShare(**fields)).refused(Invalid, "cannot be an id")


def test_ending_a_share_takes_a_reason() -> None:
    given(DRAFTED, IN_FORCE).when(RevokeShare(share=S, reason="")).refused(Invalid, "Reason is missing", "reason")


def test_terms_keep_every_field_they_were_given() -> None:
    """A field that the tidying forgets would silently share less, or more, than was agreed."""
    every = Terms(
        milestones=("m1",), milestone_fields=("baseline",), risks=("r1",), risk_fields=("score",), budget="percent",
        measure="cost", curve=True, indices=True, health=("risk",), project_fields=("phase",),
        date_unit="month", score_detail="band", money_step=1000,
    )  # fmt: skip
    empty = Terms()
    assert all(getattr(every, f) != getattr(empty, f) for f in Terms.__struct_fields__), "name the new field here"
    given(DRAFTED).when(DraftTerms(share=S, terms=every)).then(TermsDrafted(terms=every))


def test_an_ended_share_stays_ended() -> None:
    given(DRAFTED, IN_FORCE).when(RevokeShare(share=S, reason="Over")).then(ShareRevoked(reason="Over"))
    ended = given(DRAFTED, IN_FORCE, ShareRevoked(reason="Over"))
    assert not ended.state().active
    for command in (
        DraftTerms(share=S, terms=MORE),
        ActivateTerms(share=S, reason="x"),
        RevokeShare(share=S, reason="x"),
    ):
        ended.when(command).refused(Conflict, "has ended")


def test_what_was_never_drafted_cannot_be_put_in_force() -> None:
    given().when(ActivateTerms(share=S, reason="x")).refused(Unknown, "no such share")
    given(DRAFTED).when(DraftShare(share=S, project="p", client="c", terms=FEW)).refused(Conflict, "exists already")


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (Terms(curve=True), "need a budget level"),
        (Terms(budget="rag", indices=True), "need a budget level"),
        (Terms(money_step=-1), "expected a whole number"),
        (Terms(milestones="all", milestone_fields=("trend",)), "course of forecasts"),
        (Terms(risks="all", risk_fields=("history",)), "need the score"),
        (Terms(milestones="all", milestone_fields=("slip",)), "tells both dates"),
    ],
)
def test_terms_that_contradict_themselves_are_refused(terms: Terms, words: str) -> None:
    given(DRAFTED).when(DraftTerms(share=S, terms=terms)).refused(Invalid, words)


def test_terms_are_kept_in_one_order() -> None:
    jumbled = Terms(milestones=("b", "a", "b"), milestone_fields=("status", "forecast", "status"))
    tidy = Terms(milestones=("a", "b"), milestone_fields=("forecast", "status"))
    given(DRAFTED).when(DraftTerms(share=S, terms=jumbled)).then(TermsDrafted(terms=tidy))


def test_terms_that_name_nothing_share_nothing() -> None:
    empty = Terms()
    assert not any(
        getattr(empty, f)
        for f in ("milestones", "milestone_fields", "risks", "risk_fields", "health", "project_fields")
    )
    assert empty.budget == "nothing"
