"""What a risk register would change: new, changed, gone, unchanged; words asked, references paired, nothing closed by itself."""

import pytest

from domain.ids import RiskId
from domain.plan.project import Project
from domain.plan.risks import Points, RaiseRisk, RiskDetails
from domain.plan.scores import Scale
from tests.web.importers.registers.tables import chosen
from tests.web.proposal.test_compare import P, after, new_id, started
from web.importers.reading import read_any
from web.importers.registers.columns import meaning
from web.importers.registers.found import RiskTable
from web.proposal.meaning import Meanings
from web.proposal.risks import RegisterProposal, propose
from web.proposal.together import together

pytestmark = pytest.mark.once
HEAD = "Risk ID,Risk,Cause,Probability,Impact,Response,Owner,Status\n"


def table(rows: str, head: str = HEAD, **choice: object) -> RiskTable:
    found = read_any("register.csv", (head + rows).encode(), chosen(**choice))
    assert isinstance(found, RiskTable)
    return found


def look(project: Project, rows: str, **choice: object) -> RegisterProposal:
    return propose(project, table(rows, **choice), new_id)


def taken(project: Project, rows: str, reason: str = "Review of May") -> Project:
    return after(project, together(project, look(project, rows).changes, reason))


def lines(proposal: RegisterProposal) -> list[tuple[str, str, str, str, bool]]:
    return [(line.kind, line.title, line.before, line.after, line.offered) for line in proposal.lines]


def raised(ref: str = "R1", title: str = "Yard is late", score: tuple[int, int] = (2, 3)) -> Project:
    points = Points(*score)
    details = RiskDetails(ref=ref, title=title, owner="Ann", response="accept", cause="One yard")
    command = RaiseRisk(project=P, risk=RiskId("r1"), details=details, inherent=points, residual=points)
    return after(started(), command)


def test_a_register_comes_in_whole_and_the_second_time_proposes_nothing() -> None:
    rows = "R1,Yard is late,One yard,4,5,Mitigate,Ann Lee,Open\nR2,Permit,,Rare,Very high,Accept,Bob,Open\n"
    project = taken(started(), rows)
    by_ref = {risk.details.ref: risk for risk in project.risks.risks.values()}
    yard = by_ref["R1"]
    assert (yard.residual, yard.inherent) == (Points(4, 5), Points(4, 5))
    assert (yard.details.cause, yard.details.response, yard.details.owner) == ("One yard", "reduce", "Ann Lee")
    assert by_ref["R2"].residual == Points(1, 5)
    assert not yard.details.client_facing, "nobody sees what was not shared"
    again = look(project, rows)
    assert (again.lines, again.unchanged) == ((), 2)


def test_what_changed_is_one_line_each_and_what_the_file_does_not_say_stays() -> None:
    found = look(raised(), "R1,Yard is late,,4,3,,Bert,Open\n")
    assert lines(found) == [
        ("scored", "R1 Yard is late", "2 × 3 = 6", "4 × 3 = 12", False),
        ("described", "R1 Yard is late", "Ann", "Bert", False),
    ]
    project = taken(raised(), "R1,Yard is late,,4,3,,Bert,Open\n")
    risk = project.risks.risks[RiskId("r1")]
    assert (risk.residual, risk.details.owner, risk.details.cause) == (Points(4, 3), "Bert", "One yard")
    assert risk.details.response == "accept", "the file names none"
    assert risk.scores[-1].reason == "Review of May"


def test_a_risk_that_is_gone_or_closed_in_the_file_is_never_closed_by_itself() -> None:
    gone = look(raised(), "R9,Another,,1,1,Accept,,Open\nR8,Third,,1,1,Accept,,Open\nR1,Yard is late,,2,3,,,Closed\n")
    assert [line[0] for line in lines(gone) if line[4]] == ["closed"]
    missing = look(after(raised(), _second()), "R1,Yard is late,,2,3,,,Open\n")
    assert lines(missing) == [("missing", "R2 Permit", "1 × 1 = 1", "", True)]
    assert missing.changes == ()
    project = after(raised(), together(raised(), [line for line in gone.lines if line.kind == "closed"], "Done"))
    assert project.risks.risks[RiskId("r1")].closed


def _second() -> RaiseRisk:
    details = RiskDetails(ref="R2", title="Permit")
    return RaiseRisk(project=P, risk=RiskId("r2"), details=details, inherent=Points(1, 1), residual=Points(1, 1))


def test_a_changed_reference_is_asked_and_taken_only_with_a_tick() -> None:
    found = look(raised(), "A-7,Yard is late,,4,3,,,Open\n")
    assert lines(found) == [
        ("scored", "A-7 Yard is late", "2 × 3 = 6", "4 × 3 = 12", True),
        ("described", "A-7 Yard is late", "R1", "A-7", True),
    ]
    assert found.notes[0] == "R1 has the reference A-7 in the file (line 2). Is it the same risk? Then tick it."
    project = after(raised(), together(raised(), found.lines, "Renumbered"))
    risk = project.risks.risks[RiskId("r1")]
    assert (risk.details.ref, risk.residual) == ("A-7", Points(4, 3))


def test_the_register_of_another_project_is_asked_about_first() -> None:
    found = look(raised(), "X1,Roof,,1,1,Accept,,Open\n")
    assert found.doubt == "None of the 1 risks here is in this file."
    assert found.changes == ()


def test_words_of_three_steps_can_mean_two_things_on_five_and_are_asked() -> None:
    found = look(started(), "R1,Yard,,High,Medium,Mitigate,,Open\nR2,Gate,,Low,Medium,Mitigate,,Open\n")
    assert [(word.word, word.can) for word in found.asked] == [("High", ("4", "5")), ("Low", ("1", "2"))]
    assert found.lines == ()
    assert "New risks left out until it is said what their words mean: 2." in found.notes
    said = {meaning("probability", "High", 5): "4", meaning("probability", "Low", 5): "2"}
    answered = look(
        started(), "R1,Yard,,High,Medium,Mitigate,,Open\nR2,Gate,,Low,Medium,Mitigate,,Open\n", meanings=said
    )
    assert answered.asked == ()
    assert [line.after for line in answered.lines] == ["4 × 3 = 12", "2 × 3 = 6"]


@pytest.mark.parametrize(
    ("word", "beside", "size", "can"),
    [
        ("3", "", 5, ("3",)),
        ("7", "", 5, ()),
        ("4 - High", "", 5, ("4",)),
        ("High (4)", "", 5, ("4",)),
        ("3 - High", "", 5, ("3", "4", "5")),
        ("4 (likely)", "", 5, ("4",)),
        ("2 weeks", "", 5, ()),
        ("Very likely", "", 5, ("5",)),
        ("sehr gering", "", 5, ("1",)),
        ("élevée", "très faible", 5, ("4",)),
        ("High", "", 3, ("3",)),
        ("Medium", "", 5, ("3",)),
        ("Medium", "", 4, ("2", "3")),
        ("Very high", "", 4, ("4",)),
        ("30 %", "", 5, ("2",)),
        ("20%", "", 5, ("1", "2")),
        ("100%", "", 5, ("5",)),
        ("0%", "", 5, ("1",)),
        ("120%", "", 5, ()),
        ("Purple", "", 5, ()),
    ],
)
def test_what_a_word_can_mean_on_a_scale(word: str, beside: str, size: int, can: tuple[str, ...]) -> None:
    rows = f"R1,Yard,,{word},1,Accept,,\nR2,Gate,,{beside or word},1,Accept,,\n"
    scale = Scale(size=size, medium_from=3, high_from=4)
    meanings = Meanings(table(rows), scale)
    points = meanings.points("probability", word, 2)
    (met,) = meanings.words.values()
    assert met.can == can
    assert points == (int(can[0]) if len(can) == 1 else None)


def test_numbers_on_another_scale_are_spread_where_the_heading_names_it_and_noted_where_none_is_high() -> None:
    head = "Risk ID,Risk,Probability (1-3),Impact (1 to 10),Response\n"
    meanings = Meanings(table("R1,Yard,3,4,Accept\n", head=head), Scale())
    assert meanings.points("probability", "3", 2) == 5
    assert meanings.points("impact", "4", 2) is None
    assert [word.can for word in meanings.open] == [("2", "3")]
    found = look(started(), "R1,Yard,,3,2,Accept,,\n")
    assert any("scale, 1 to 5; the highest in the file is 3" in note for note in found.notes)


def test_a_register_of_prince2_comes_in_with_author_and_proximity() -> None:
    head = (
        "Risk Identifier,Risk Author,Date Registered,Risk Category,Risk Description,Probability,Impact,Expected Value,"
        "Proximity,Risk Response Category,Risk Response,Risk Status,Risk Owner,Risk Actionee\n"
    )
    row = "R7,Al,2027-01-02,Supply,Yard is late,2,5,10,Within stage,Reduce,Order early,Active,Ann,Bo\n"
    project = after(started(), together(started(), propose(started(), table(row, head=head), new_id).changes))
    (risk,) = project.risks.risks.values()
    d = risk.details
    assert (d.ref, d.author, d.category, d.proximity) == ("R7", "Al", "Supply", "within_stage")
    assert (d.response, d.response_actions, d.owner, d.actionee) == ("reduce", "Order early", "Ann", "Bo")


def test_of_a_log_of_risks_and_issues_the_risks_are_read() -> None:
    found = table("1,Risk,Yard,2,3\n2,Issue,Leak,4,4\n", head="ID,Type,Description,Probability,Impact\n", kind="risks")
    assert [(risk.ref, risk.category) for risk in found.risks] == [("1", "")]
    assert "Rows of the log that are no risks left out: 1 (first on line 3)." in found.notes


def test_a_percentage_whose_sign_is_in_the_heading_is_one() -> None:
    found = table(
        "1,Werft,30,2\n", head="Nr.;Risiko;Eintrittswahrscheinlichkeit in %;Auswirkung (1-5)\n".replace(";", ",")
    )
    meanings = Meanings(found, Scale())
    assert (meanings.points("probability", "30", 2), meanings.points("impact", "2", 2)) == (2, 2)


def test_fractions_are_probabilities_where_one_lies_between() -> None:
    found = table("R1,Yard,,0.3,1,Accept,,\nR2,Gate,,1,1,Accept,,\n")
    assert found.fractions
    meanings = Meanings(found, Scale())
    assert (meanings.points("probability", "0.3", 2), meanings.points("probability", "1", 3)) == (2, 5)
    assert meanings.points("impact", "1", 3) == 1, "an impact of 1 is no percentage"


def test_no_response_and_unknown_states_are_asked_and_a_text_is_what_is_done() -> None:
    found = look(started(), "R1,Yard,,1,1,Order a second yard,,Waiting\n")
    assert [(word.field, word.word) for word in found.asked] == [("response", ""), ("status", "Waiting")]
    said = {meaning("response", ""): "transfer", meaning("status", "Waiting"): "open"}
    answered = look(started(), "R1,Yard,,1,1,Order a second yard,,Waiting\n", meanings=said)
    project = after(started(), together(started(), answered.lines))
    (risk,) = project.risks.risks.values()
    assert (risk.details.response, risk.details.response_actions) == ("transfer", "Order a second yard")


def test_what_cannot_be_taken_over_is_said() -> None:
    head = "Risk ID,Risk,Inherent probability,Inherent impact,Probability,Impact,Response\n"
    found = look(started(), "R1,Yard,1,1,2,3,Accept\nR2,Gate,,,,3,Accept\n", head=head)
    assert found.lines == ()
    assert found.notes[:2] == (
        "R1 (line 2) has a higher score after the response than before it, so it was left out.",
        "R2 (line 3) has no probability or no impact, so it was left out.",
    )
    other = look(raised(), "R1,Yard is late,5,5,2,3,Accept\n", head=head)
    assert any("stays as it was recorded" in note for note in other.notes)


def test_a_closed_risk_of_the_file_is_offered_and_comes_in_closed() -> None:
    found = look(started(), "R1,Yard,,1,1,Accept,,Closed\n")
    assert [(line.kind, line.offered, line.note) for line in found.lines] == [("raised", True, "closed in the file")]
    project = after(started(), together(started(), found.lines))
    (risk,) = project.risks.risks.values()
    assert risk.closed


def test_a_closed_risk_that_is_active_in_the_file_is_reopened() -> None:
    project = after(raised(), together(raised(), look(raised(), "R1,Yard is late,,2,3,,,Closed\n").lines, "Done"))
    found = look(project, "R1,Yard is late,,3,3,,,Open\n")
    assert [line.kind for line in found.lines] == ["scored", "reopened"]
    again = after(project, together(project, found.lines, "It is back"))
    assert (again.risks.risks[RiskId("r1")].closed, again.risks.risks[RiskId("r1")].residual) == (False, Points(3, 3))


def test_many_different_words_are_asked_of_sixty_and_the_rest_counted() -> None:
    rows = "".join(f"R{n},Risk {n},,word{n},1,Accept,,\n" for n in range(200))
    found = look(started(), rows)
    assert len(found.words) == 60
    assert any("beyond the first 60" in note for note in found.notes)
