"""A renderer small enough to read: for tests of the follower, which must not care how markup is made."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from domain.look.look import Look
from domain.memory import Memory
from domain.view import ClientView
from projections.entries.entry import Change, Rendered
from projections.entries.parts import Part


class Plain:
    """Renders every field; `fail` may raise for a view, as a broken template would."""

    stylesheet = hashlib.sha256(b"body{}").hexdigest()
    css = b"body{}"
    assets: ClassVar = {hashlib.sha256(b"a font").hexdigest(): b"a font"}

    def __init__(self, fail: Callable[[ClientView], None] = lambda _view: None) -> None:
        self.fail = fail

    def render(self, view: ClientView, memory: Memory | None = None) -> Rendered:
        self.fail(view)
        rows = {f"ms-{m.id}": Part(f"ms-{m.id}", f'<li id="ms-{m.id}">{m}</li>') for m in view.milestones}
        rows |= {f"r-{r.id}": Part(f"r-{r.id}", f'<li id="r-{r.id}">{r}</li>') for r in view.risks}
        rest = f'<p id="rest">{view.headline} {view.scope} {view.budget} {view.schedule} {view.risk} {view.overall}</p>'
        parts = {
            "summary": Part("summary", f'<div id="summary">{view.client}', ("rest",), "</div>"),
            "rest": Part("rest", rest),
            "body": Part("body", '<ul id="body">', tuple(rows), "</ul>"),
            **rows,
        }
        return Rendered(("summary", "body"), parts, self.stylesheet, tuple(self.assets))

    def forget(self) -> None:
        pass

    def dressed(self, worn: Look | None) -> str:
        return self.stylesheet

    def style_of(self, worn: Look | None) -> tuple[str, bytes]:
        return self.stylesheet, self.css

    def css_of(self, stylesheet: str) -> bytes | None:
        return self.css if stylesheet == self.stylesheet else None

    def changes(self, previous: ClientView | None, view: ClientView) -> tuple[Change, ...]:
        before = {m.id: m for m in previous.milestones} if previous else {}
        return tuple(
            Change(
                kind="milestone",
                subject=m.id,
                title=m.title,
                before="",
                after=str(m.forecast),
                note="",
                why=m.reason,
                say="",
            )
            for m in view.milestones
            if before.get(m.id) != m
        )

    def items(self, changes: Sequence[Change], n: int, at: datetime, time_zone: str) -> str:
        return "".join(f'<li id="c-{n}-{i}">{c.title} {c.after}</li>' for i, c in enumerate(changes))
