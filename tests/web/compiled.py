"""Every template, compiled on import: processes that are forked afterwards compile none."""

from web.door.templates import TEMPLATES, environment
from web.render import page

_pages = environment()
for _path in sorted(TEMPLATES.rglob("*.html")):
    _name = _path.relative_to(TEMPLATES).as_posix()
    (page._environment() if _name.startswith("parts/") else _pages).get_template(_name)
