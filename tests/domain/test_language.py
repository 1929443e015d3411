"""How labels stand inside of a sentence, by examples of each language."""

import pytest

from domain.language import lowered, speaking
from web import languages

pytestmark = pytest.mark.once

EXAMPLES = {
    "en": {
        "Forecast moved": "forecast moved",
        "Message answered by Teams or Slack": "message answered by Teams or Slack",
        "CPI and SPI(t)": "CPI and SPI(t)",
        "SPI(t) at risk below": "SPI(t) at risk below",
        "": "",
    },
    "de": {
        "Prognose verschoben": "Prognose verschoben",  # a noun keeps its capital
        "Vereinbarter Termin": "vereinbarter Termin",  # an adjective before it does not
        "Nach Monat": "nach Monat",
        "Im Plan": "im Plan",
        "Nicht im Plan": "nicht im Plan",
        "Gefährdet": "gefährdet",
        "Zur Kenntnis genommen": "zur Kenntnis genommen",
        "Alle für Kunden bestimmten Meilensteine · Preis": "alle für Kunden bestimmten Meilensteine · Preis",
        "E-Mail eingereiht": "E-Mail eingereiht",
        "CPI und SPI(t)": "CPI und SPI(t)",
        "Ihr Wert": "Ihr Wert",  # as people are addressed
    },
    "fr": {"Prévision déplacée": "prévision déplacée", "À risque": "à risque"},
    "es": {"Según lo previsto": "según lo previsto"},
}


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_label_is_small_within_a_sentence_as_its_language_has_it(code: str) -> None:
    languages.install()
    with speaking(code):
        assert {label: lowered(label) for label in EXAMPLES[code]} == EXAMPLES[code]
