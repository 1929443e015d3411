"""The risk register."""

import pytest

from domain.agreement.answers import Screen
from domain.errors import Conflict, Invalid, Unknown
from domain.plan.risks import (
    AskClientView,
    ClientScored,
    ClientViewAsked,
    CloseRisk,
    DescribeRisk,
    Points,
    RaiseRisk,
    ReopenRisk,
    RiskClosed,
    RiskDescribed,
    RiskNoteTaken,
    RiskReopened,
    RiskScored,
    Scale,
    ScoreAsClient,
    ScoreRisk,
    TakeRiskNote,
    band,
)
from tests.domain.samples import P, raised, risk_details, started
from tests.spec import given

pytestmark = pytest.mark.once

R = "r1"


def test_a_risk_is_raised_with_what_it_was_before_and_after_the_response() -> None:
    command = RaiseRisk(project=P, risk=R, details=risk_details(), inherent=Points(5, 5), residual=Points(2, 4))
    given(started()).when(command).then(raised())


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"residual": Points(6, 1)}, Invalid, "1 to 5"),
        ({"inherent": Points(0, 1)}, Invalid, "1 to 5"),
        ({"inherent": Points(1, 1)}, Invalid, "cannot make it worse"),
        ({"details": risk_details(ref="")}, Invalid, "Ref is missing"),
        ({"details": risk_details(client_facing=True)}, Invalid, "Client title is missing"),
        ({"risk": "r 1"}, Invalid, "cannot be an id"),
        ({"details": risk_details(cause="x" * 4001)}, Invalid, "at most 4000"),
    ],
)
def test_a_risk_that_cannot_be_right_is_refused(changed: dict, kind: type, words: str) -> None:
    fields = {"project": P, "risk": R, "details": risk_details(), "inherent": Points(5, 5), "residual": Points(2, 4)}
    given(started()).when(RaiseRisk(**(fields | changed))).refused(kind, words)


def test_a_reference_names_one_risk() -> None:
    other = RaiseRisk(project=P, risk="r2", details=risk_details(), inherent=Points(5, 5), residual=Points(1, 1))
    given(started(), raised()).when(other).refused(Conflict, "names another risk", "ref")
    lower = RaiseRisk(
        project=P, risk="r2", details=risk_details(ref="r-07"), inherent=Points(5, 5), residual=Points(1, 1)
    )
    given(started(), raised()).when(lower).refused(Conflict, "names another risk", "ref")
    same = RaiseRisk(project=P, risk=R, details=risk_details(ref="R-8"), inherent=Points(5, 5), residual=Points(1, 1))
    given(started(), raised()).when(same).refused(Conflict, "already", "risk")


def test_a_new_score_takes_a_reason() -> None:
    score = ScoreRisk(project=P, risk=R, residual=Points(4, 4), reason="News")
    given(started(), raised()).when(score).then(RiskScored(risk=R, residual=Points(4, 4), reason="News"))
    given(started(), raised(4, 4)).when(score).then()
    silent = ScoreRisk(project=P, risk=R, residual=Points(4, 4), reason="")
    given(started(), raised()).when(silent).refused(Invalid, "Reason is missing", "reason")
    given(started()).when(score).refused(Unknown, "no such risk")


def test_a_client_is_asked_once_until_it_answers() -> None:
    ask, asked = AskClientView(project=P, risk=R, client="acme"), ClientViewAsked(risk=R, client="acme")
    given(started(), raised()).when(ask).then(asked)
    given(started(), raised(), asked).when(ask).then()
    assert given(started(), raised(), asked).state().risks.risks[R].view_needed_from("acme")
    assert not given(started(), raised(), asked).state().risks.risks[R].view_needed_from("council")


def test_a_client_gives_its_own_view_beside_ours() -> None:
    give = ScoreAsClient(project=P, risk=R, client="acme", points=Points(4, 3), by="anna")
    given(started(), raised()).when(give).then(ClientScored(risk=R, client="acme", points=Points(4, 3), by="anna"))
    wrong = ScoreAsClient(project=P, risk=R, client="acme", points=Points(9, 3), by="anna")
    given(started(), raised()).when(wrong).refused(Invalid, "1 to 5", "points")
    nobody = ScoreAsClient(project=P, risk=R, client="", points=Points(4, 3), by="anna")
    given(started(), raised()).when(nobody).refused(Invalid, "cannot be an id", "client")
    unsigned = ScoreAsClient(project=P, risk=R, client="acme", points=Points(4, 3), by="")
    given(started(), raised()).when(unsigned).refused(Invalid, "cannot be an id", "by")


def test_a_client_repeats_its_view_only_when_asked_again() -> None:
    given_view = ClientScored(risk=R, client="acme", points=Points(4, 3), by="anna")
    give = ScoreAsClient(project=P, risk=R, client="acme", points=Points(4, 3), by="anna")
    given(started(), raised(), given_view).when(give).then()
    other = ScoreAsClient(project=P, risk=R, client="acme", points=Points(4, 3), by="bea")
    given(started(), raised(), given_view).when(other).then(
        ClientScored(risk=R, client="acme", points=Points(4, 3), by="bea")
    )


def test_a_note_is_internal_and_not_empty() -> None:
    given(started(), raised()).when(TakeRiskNote(project=P, risk=R, note="x")).then(RiskNoteTaken(risk=R, note="x"))
    given(started(), raised()).when(TakeRiskNote(project=P, risk=R, note=" ")).refused(Invalid, "Note is missing")
    noted = RiskNoteTaken(risk=R, note="x")
    given(started(), raised(), noted).when(TakeRiskNote(project=P, risk=R, note="x ")).then()
    given(started()).when(TakeRiskNote(project=P, risk=R, note="x")).refused(Unknown, "Reload the register")


def test_a_closed_risk_is_reopened_before_anything_else() -> None:
    closed = RiskClosed(risk=R, reason="Gone")
    given(started(), raised()).when(CloseRisk(project=P, risk=R, reason="Gone")).then(closed)
    past = given(started(), raised(), closed)
    past.when(ScoreRisk(project=P, risk=R, residual=Points(1, 1), reason="x")).refused(Conflict, "R-07 is closed")
    past.when(AskClientView(project=P, risk=R, client="acme")).refused(Conflict, "Reopen it first")
    past.when(CloseRisk(project=P, risk=R, reason="again")).refused(Conflict, "is closed")
    past.when(ReopenRisk(project=P, risk=R, reason="Back")).then(RiskReopened(risk=R, reason="Back"))
    given(started(), raised()).when(ReopenRisk(project=P, risk=R, reason="x")).refused(Conflict, "nothing to reopen")


def test_describing_the_same_again_records_nothing() -> None:
    past = given(started(), raised())
    past.when(DescribeRisk(project=P, risk=R, details=risk_details())).then()
    new = risk_details(cause="Weather")
    past.when(DescribeRisk(project=P, risk=R, details=new)).then(RiskDescribed(risk=R, details=new))


@pytest.mark.parametrize(
    ("score", "expected"), [(1, "low"), (5, "low"), (6, "medium"), (11, "medium"), (12, "high"), (25, "high")]
)
def test_bands_follow_the_published_rule(score: int, expected: str) -> None:
    assert band(Scale(), score) == expected


def test_a_score_given_on_a_page_carries_what_was_on_the_screen() -> None:
    screen = Screen(n=412, head="ab" * 32)
    command = ScoreAsClient(
        project=P, risk=R, client="acme", points=Points(4, 4), by="anna", share="share1", screen=screen
    )
    scored = ClientScored(risk=R, client="acme", points=Points(4, 4), by="anna", share="share1", screen=screen)
    given(started(), raised()).when(command).then(scored)


@pytest.mark.parametrize(
    ("share", "screen"),
    [
        ("share1", Screen()),
        ("share1", Screen(n=0, head="ab" * 32)),
        ("share1", Screen(n=4, head="ab")),
        ("share1", Screen(n=4, head="AB" * 32)),
        ("", Screen(n=4, head="ab" * 32)),
    ],
)
def test_half_of_what_was_on_the_screen_is_refused(share: str, screen: Screen) -> None:
    command = ScoreAsClient(
        project=P, risk=R, client="acme", points=Points(4, 4), by="anna", share=share, screen=screen
    )
    given(started(), raised()).when(command).refused(Invalid, "")
