"""Templates of parts are compiled to plain Python, and say the same as Jinja makes of them, to the byte."""

from typing import Any

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from domain.language import speaking
from web.door.templates import environment
from web.render import direct

VALUES: tuple[Any, ...] = (
    "plain", "<b>&\"'", "\u202eback\x07", Markup("<i>kept</i>"), 7, -1, 0, True, None, 1.5, "", "50 %", ["<"],
)  # fmt: skip
SAYS = (
    "{{ value }}",
    "{{ 'a-' ~ value }}",
    "{% if value %}{{ value }}{% else %}none{% endif %}",
    "{% for one in [value, value] %}{{ loop.index }} {{ one }}{{ ', ' if not loop.last else '' }}{% endfor %}",
    "{% macro twice(one, other='-') %}<u>{{ one }}</u>{{ other }}{% endmacro %}{{ twice(value) }}{{ twice(1, value) }}",
    "{% trans %}Details of {{ value }}{% endtrans %}",
    "{% trans count=3 %}one 100 % {{ value }}{% pluralize %}{{ count }} 100 % {{ value }}{% endtrans %}",
    "{{ {'a': value}['a'] }}{{ value.__class__.__name__ }}",
    "{{ [value, 'x']|select|join(', ') }}",
)


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_value_is_written_as_jinja_writes_it(says: str, language: str) -> None:
    slow, fast = environment(direct.finalize), environment(direct.finalize)
    slow.bytecode_cache = fast.bytecode_cache = None
    direct.compiled_by(fast)
    with speaking(language):
        for value in VALUES:
            expected = slow.from_string(says).render(value=value)
            assert direct.markup_of(fast.from_string(says), {"value": value}) == expected, value


def test_a_name_that_is_not_given_is_an_error_and_nothing_that_is_written() -> None:
    fast = environment(direct.finalize)
    fast.bytecode_cache = None
    direct.compiled_by(fast)
    with pytest.raises(UndefinedError, match="'missing' is undefined"):
        direct.markup_of(fast.from_string("{{ missing }}"), {})
