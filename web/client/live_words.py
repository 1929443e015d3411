"""The words that the live page's own script puts together, in the language of its share.

Rule: `web/static/js/live/words.js` finds each by its English sentence and fills in `{n}` and other names as
`domain.language` does. What stands in the page already is none of them.
"""

import json

from domain.language import N_, NN_, forms, spoken, tag
from domain.language import gettext as _
from projections.wording import locales, words

SENTENCES = (
    N_("Continue"),
    N_("Show {n} newer"),
    N_("Out of date: {headline}"),
    N_("a minute"),
    N_("Unchanged after {n}+ steps"),
    N_("in {n}+ steps"),
    N_("The newest {n} changes, one by one"),
    N_("{n} new"),
    N_("{n} more"),
    N_("{band} to {lower}"),
    N_("now on track"),
    N_("now at risk"),
    N_("now off track"),
    N_("now overdue"),
    N_("now done"),
    N_("now planned"),
    N_("On track"),
    N_("At risk"),
    N_("Off track"),
    N_("Overdue"),
    N_("Done"),
    N_("Planned"),
    N_("Low"),
    N_("Medium"),
    N_("High"),
    N_("low"),
    N_("medium"),
    N_("high"),
)
OF_NUMBERS = (
    NN_("{n} minute", "{n} minutes"),
    NN_("{n} hour", "{n} hours"),
    NN_("{many} day", "{many} days"),
    NN_("{many} month", "{many} months"),
    NN_("{many} quarter", "{many} quarters"),
    NN_("{many} comment", "{many} comments"),
    NN_("{days} day so far", "{days} days so far"),
    NN_("Unchanged after {many} step", "Unchanged after {many} steps"),
    NN_("in {many} step", "in {many} steps"),
    NN_("and {n} other value", "and {n} other values"),
    NN_("All {n} change, one by one", "All {n} changes, one by one"),
    NN_(
        "{n} update before these not listed here; reload the page for them",
        "{n} updates before these not listed here; reload the page for them",
    ),
)


def live_words() -> str:
    """Return the words as JSON: the language, sentences by their English, and those of numbers by that of one.

    `locale` is what a browser writes dates and numbers by; `units` are those of amounts in short, `placing` where their
    currency stands, "" for before them.
    """
    code = spoken()
    away = words.elsewhere()
    given = {
        "lang": code,
        "locale": locales.OF_TESTS.get(code, tag(code)).replace("_", "-"),
        "said": {english: _(english) for english in SENTENCES},
        "counted": {one: forms(one, many) for one, many in OF_NUMBERS},
        "units": [(int(factor), _(unit), places) for factor, unit, places in words.UNITS],
        "symbols": {code: locales.symbol(code) if away else symbol for code, symbol in words.SYMBOLS.items()},
        "placing": locales.placing() if away else "",
    }
    return json.dumps(given, ensure_ascii=False, sort_keys=True)
