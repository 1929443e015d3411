"""A file that was uploaded is read in the background, in the language of whoever looks at it."""

import io
from pathlib import Path

import pytest

from domain.language import speaking
from web import languages
from web.manager.importing.uploads import Most, Uploads

pytestmark = pytest.mark.once


def test_what_is_said_of_a_file_is_in_the_language_of_whoever_looks(tmp_path: Path) -> None:
    languages.install()
    uploads = Uploads(tmp_path, Most(upload=2**20, table=2**20))
    key = uploads.keep("p", "r.csv", io.BytesIO(b"Risk ID,Risk,Probability,Impact,Colour\nR1,Yard,1,2,red\n"))
    said = {}
    for code in ("de", "en", "fr"):
        with speaking(code):
            reading = uploads.read("p", key, 20)
            assert reading is not None
            assert reading.table is not None
            said[code] = reading.table.notes
    assert said == {
        "de": ("Spalten, die nicht gelesen werden: 'Colour'.",),
        "en": ("Columns that are not read: 'Colour'.",),
        "fr": ("Colonnes qui ne sont pas lues : 'Colour'.",),
    }
    uploads.forget("p", key)
    assert uploads.read("p", key, 20) is not reading
