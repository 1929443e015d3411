"""Make the font that pages are set in: Inter, the letters and weights they use, as web/static/inter.woff2.

    npm pack inter-ui@4.1.1
    python -m pip install fonttools brotli        # for this alone; nothing else needs them
    python -m tests.make_font inter-ui-4.1.1.tgz

The package is checked by its SHA-256 first. Every version ever shown is kept by its hash beside the entries that
name it, so a new file is a new asset of later entries and changes no earlier one.
"""

import hashlib
import io
import sys
import tarfile
from pathlib import Path
from typing import Any

PACKAGE = "e392e4d71f18a7c1f23dfecd833d68fa05eeab41862686584e80fd2b5d87e9c0"
SOURCE, LICENSE = "package/variable/InterVariable.woff2", "package/LICENSE.txt"
FOLDER = Path(__file__).parents[1] / "web" / "static"
MOST_BYTES = 62_000
LETTERS = [
    *range(0x20, 0x7F), *range(0xA0, 0x180),  # Latin of Western, Central and Northern Europe
    *range(0x218, 0x21C), 0x1E9E,
    0x2010, 0x2011, 0x2013, 0x2014, 0x2018, 0x2019, 0x201A, 0x201C, 0x201D, 0x201E, 0x2022, 0x2026, 0x202F, 0x2039,
    0x203A, 0x20AC, 0x2190, 0x2191, 0x2192, 0x2193, 0x2212, 0x00D7, 0x2248, 0x2264, 0x2265,
]  # fmt: skip
FEATURES = ["kern", "liga", "calt", "ccmp", "locl", "mark", "mkmk", "tnum", "lnum", "cv11", "ss03"]


def make(package: bytes) -> tuple[bytes, bytes]:
    """Return the font and its licence.

    Raises: ValueError when the package is another one, or the font is larger than `MOST_BYTES`.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    if hashlib.sha256(package).hexdigest() != PACKAGE:
        raise ValueError(f"expected the package with SHA-256 {PACKAGE}")
    with tarfile.open(fileobj=io.BytesIO(package)) as files:
        source, license_text = (files.extractfile(name).read() for name in (SOURCE, LICENSE))  # type: ignore[union-attr]
    font = TTFont(io.BytesIO(source), recalcTimestamp=False)
    options = subset.Options(
        layout_features=FEATURES, hinting=False, notdef_outline=True, name_IDs=[0, 1, 2, 3, 4, 6, 13, 14]
    )
    wanted = subset.Subsetter(options)
    wanted.populate(unicodes=LETTERS)
    wanted.subset(font)
    _digits_alone(font)
    font = instancer.instantiateVariableFont(font, {"wght": (400, 600), "opsz": 14})
    font.flavor = "woff2"
    made = io.BytesIO()
    font.save(made)
    if len(made.getvalue()) > MOST_BYTES:
        raise ValueError(f"expected at most {MOST_BYTES} bytes, got {len(made.getvalue())}")
    return made.getvalue(), license_text


def _digits_alone(font: Any) -> None:
    """Let tabular figures widen digits alone: a hyphen of a digit's width tears words apart."""
    table, names = font["GSUB"].table, {font.getBestCmap()[ord(digit)] for digit in "0123456789"}
    wide = {
        i
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == "tnum"
        for i in record.Feature.LookupListIndex
    }
    for lookup in (table.LookupList.Lookup[i] for i in wide):
        for part in lookup.SubTable:
            mapping = getattr(part, "ExtSubTable", part).mapping
            for name in set(mapping) - names:
                del mapping[name]


if __name__ == "__main__":
    woff2, text = make(Path(sys.argv[1]).read_bytes())
    (FOLDER / "inter.woff2").write_bytes(woff2)
    (FOLDER / "vendor" / "LICENSE.inter").write_bytes(text)
    print(f"{len(woff2):,} bytes, {hashlib.sha256(woff2).hexdigest()}")
