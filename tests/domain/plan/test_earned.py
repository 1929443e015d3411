"""Earned value and earned schedule against published worked examples, and n/a where a figure is undefined."""

from decimal import Decimal

import pytest

from domain.plan.earned import earned_schedule, figures

pytestmark = pytest.mark.once

D = Decimal


def near(value: Decimal | None, expected: str) -> bool:
    return value is not None and abs(value - D(expected)) < D("0.0006")


def test_the_fence_example_of_the_pmp_exam_prep() -> None:
    """Mulcahy, PMP Exam Prep: a fence of four sides, status at the end of day three."""
    found = figures(bac=D(4000), pv=D(3000), ev=D(2500), ac=D(2800))
    assert (found.cv, found.sv) == (D(-300), D(-500))
    assert near(found.cpi, "0.893")
    assert near(found.spi, "0.8333")
    assert near(found.eac_typical, "4480")
    assert near(found.etc, "1680")
    assert near(found.vac, "-480")


def test_a_bottom_up_forecast_goes_before_the_formula() -> None:
    """The one-task example: 100 hours planned, 110 spent, 10 to go, at 100 dollars an hour."""
    found = figures(bac=D(10_000), pv=D(10_000), ev=D("9166.667"), ac=D(11_000), forecast=D(12_000))
    assert (found.eac, found.vac, found.etc) == (D(12_000), D(-2000), D(1000))
    assert near(found.sv, "-833.333")
    assert near(found.spi, "0.9167")


def test_the_estimate_of_a_civil_engineering_review() -> None:
    """BAC 5.0 million, EV 1.5, AC 1.8: at this efficiency it will cost 6.0 million."""
    assert figures(bac=D(5_000_000), pv=None, ev=D(1_500_000), ac=D(1_800_000)).eac_typical == D(6_000_000)


def test_the_other_estimates_and_indices_by_their_formulas() -> None:
    found = figures(bac=D(1000), pv=D(500), ev=D(400), ac=D(450))
    assert found.eac_atypical == D(1050)
    assert near(found.eac_both, str(D(450) + D(600) / (D(400) / D(450) * D(400) / D(500))))
    assert near(found.tcpi_bac, str(D(600) / D(550)))
    assert near(found.tcpi_eac, str(D(600) / (D(1000) / (D(400) / D(450)) - D(450))))


def test_earned_schedule_of_a_linear_plan_three_periods_earned_after_four() -> None:
    """100,000 over ten periods; EV 30,000 at period 4: Lipke's ES is 3, SPI(t) 0.75, and it will take 13 and a third."""
    planned = [D(10_000 * i) for i in range(1, 11)]
    found = figures(bac=D(100_000), pv=D(40_000), ev=D(30_000), ac=D(35_000), planned=planned, actual_time=D(4))
    assert (found.es, found.sv_t, found.spi_t) == (D(3), D(-1), D("0.75"))
    assert near(found.ieac_t, "13.3333")


def test_earned_schedule_reads_between_two_periods() -> None:
    """ES = C + (EV - PV_C) / (PV_C+1 - PV_C): 17 earned of 5, 15, 20 is two and two fifths."""
    assert earned_schedule([D(5), D(15), D(20)], D(17)) == D("2.4")


@pytest.mark.parametrize(
    ("planned", "ev", "es"),
    [
        ([5, 15, 20], 0, 0),
        ([5, 15, 20], 15, 2),
        ([5, 15, 15, 20], 15, 3),
        ([5, 15, 20], 20, 3),
        ([5, 15, 20], 99, 3),
        ([5, 20, 20], 20, 2),
    ],
)
def test_earned_schedule_at_the_edges(planned: list[int], ev: int, es: int) -> None:
    assert earned_schedule([D(p) for p in planned], D(ev)) == es


def test_spi_returns_to_one_at_the_end_of_a_late_project_and_spi_t_does_not() -> None:
    planned = [D(10), D(20), D(30)]
    found = figures(bac=D(30), pv=D(30), ev=D(30), ac=D(30), planned=planned, actual_time=D(6))
    assert (found.spi, found.spi_t) == (D(1), D("0.5"))


def test_an_early_finish_by_hand_from_the_formula() -> None:
    """Five periods of 20; 25 are earned in each, so all is done after four: SPI(t) 1.25 to the end, and IEAC(t) four."""
    planned = [D(20), D(40), D(60), D(80), D(100)]
    for period, es in ((1, "1.25"), (2, "2.5"), (3, "3.75"), (4, "5")):
        found = figures(bac=D(100), pv=planned[period - 1], ev=D(25 * period), ac=None, planned=planned, actual_time=D(period))  # fmt: skip
        assert found.es == D(es)
        assert (found.spi_t, found.ieac_t) == (D("1.25"), D(4))


def test_a_late_finish_by_hand_from_the_formula() -> None:
    """Five periods of 20; 12.5 are earned in each, so all is done after eight: SPI climbs back to 1, SPI(t) stays 0.625."""
    planned = [D(20), D(40), D(60), D(80), D(100)]
    spi = []
    for period in range(1, 9):
        pv = planned[min(period, 5) - 1]
        found = figures(bac=D(100), pv=pv, ev=D("12.5") * period, ac=None, planned=planned, actual_time=D(period))
        assert (found.spi_t, found.ieac_t) == (D("0.625"), D(8))
        spi.append(found.spi)
    assert spi[0] == D("0.625")
    assert spi[-1] == D(1)


def test_a_pause_after_the_last_work_does_not_lengthen_the_plan() -> None:
    planned = [D(5), D(20), D(20)]
    found = figures(bac=D(20), pv=D(20), ev=D(20), ac=None, planned=planned, actual_time=D(2))
    assert (found.es, found.spi_t, found.ieac_t) == (D(2), D(1), D(2))


def test_no_efficiency_completes_work_whose_money_is_spent() -> None:
    spent = figures(bac=D(100), pv=None, ev=D(80), ac=D(100))
    assert spent.tcpi_bac is None
    assert spent.tcpi_eac == D(20) / D(25)
    assert figures(bac=D(100), pv=None, ev=D(80), ac=D(130)).tcpi_bac is None


def test_a_plan_of_nothing_has_no_earned_schedule() -> None:
    assert earned_schedule([D(0), D(0)], D(0)) is None
    assert earned_schedule([D(1)], D(-1)) is None


def test_at_the_very_start_there_is_no_index() -> None:
    found = figures(bac=D(100), pv=D(0), ev=D(0), ac=D(0), planned=[D(50), D(100)], actual_time=D(0))
    assert (found.es, found.sv_t, found.spi_t, found.ieac_t) == (D(0), D(0), None, None)


def test_what_is_undefined_is_not_available_and_never_one() -> None:
    found = figures(bac=D(100), pv=D(0), ev=D(0), ac=D(0))
    assert (found.cpi, found.spi, found.eac_typical, found.eac_both) == (None, None, None, None)
    nothing = figures(bac=D(0), pv=None, ev=None, ac=None)
    assert (nothing.cv, nothing.tcpi_bac, nothing.es, nothing.vac, nothing.etc) == (None, None, None, None, None)
    assert earned_schedule([], D(1)) is None
