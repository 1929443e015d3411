"""An index is written as numbers are in the language that is spoken, wherever it is shown."""

from decimal import Decimal

import pytest

from domain.language import speaking
from domain.view import BudgetVital
from projections.wording import values, words
from projections.wording.values import Way
from web import languages
from web.manager.agreement.consequence import Saying, said
from web.manager.plan.lines import _number
from web.render.details import of_budget

pytestmark = pytest.mark.once

WRITTEN = {"en": "0.94", "de": "0,94", "fr": "0,94", "es": "0,94"}


@pytest.mark.parametrize("code", WRITTEN)
def test_an_index_is_written_as_the_language_writes_numbers(code: str) -> None:
    languages.install()
    index, written = Decimal("0.94"), WRITTEN[code]
    with speaking(code):
        assert words.index(index) == written
        assert values.said("cpi", index, Way("day", "UTC", {})) == written  # in changes and digests
        assert said(index, "cpi", Saying("UTC", "day")) == written  # before an agreement is changed
        assert _number(Decimal("-0.9375")) == f"{words.MINUS}{written}"  # in the plan
        shown = [text for detail in of_budget(BudgetVital(cpi=index, spi_t=index), "") for text in detail.texts]
        assert shown.count(written) == 2  # on the page


def test_an_index_of_a_recorded_english_page_is_what_it_was() -> None:
    for text in ("1", "1.0", "0.90", "1E+1"):
        assert words.index(Decimal(text)) == str(Decimal(text))
