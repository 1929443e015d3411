"""What an entry of format 1 would hold, to be compared with one that was recorded; none is recorded any more. Pure."""

from collections.abc import Callable
from typing import Any

import msgspec

from domain.language import speaking
from domain.view import ClientView
from projections.entries import frames, parts
from projections.entries.changes import of_format_1
from projections.entries.entry import Change, Content, Rendered, digest_of, open_view
from projections.entries.named import named
from projections.follow.next_entry import NextView, Renderer, Shown, names_of

_json = msgspec.json.Encoder(order="sorted")


def compose(due: NextView, shown: Shown, renderer: Renderer) -> tuple[Content, Rendered, ClientView]:
    """Return the content of format 1 that discloses `due` after what is shown so far, its markup, and its view."""
    with speaking(due.view.language):
        return _composed(due, shown, renderer)


def _composed(due: NextView, shown: Shown, renderer: Renderer) -> tuple[Content, Rendered, ClientView]:
    n, at, view = due.n, due.at, named(due.view, names_of(due))
    rendered = renderer.render(view)
    old = shown.rendered.parts if shown.rendered else {}
    difference = frames.difference(shown.rendered, rendered)
    changes = of_format_1(shown.view, view)
    items = renderer.items(changes, n, at, view.time_zone)
    say = ". ".join(change.say for change in changes[:3] if change.say)
    targets = {target: parts.markup(rendered.parts, target) for target in difference.targets}
    content = Content(
        share=due.share,
        n=n,
        at=at,
        terms_version=view.terms_version,
        stylesheet=rendered.stylesheet,
        changes=changes,
        roots=rendered.roots,
        parts=tuple(part for key, part in rendered.parts.items() if old.get(key) != part),
        removed=difference.removed,
        items=items,
        body=parts.body(n, at, targets, items, say),
        view=_json.encode(view).decode(),
        terms=_json.encode(due.terms).decode(),
        page=digest_of(parts.markup(rendered.parts, root) for root in rendered.roots),
    )
    return content, rendered, view


def alike(recorded: Content, content: Content) -> Content:
    """Return `content` without what code after format 1 writes in another form where it says the same."""
    same_view = open_view(recorded.view) == open_view(content.view)
    terms: Callable[[str], object] = msgspec.json.decode
    same_terms = set(_pairs(terms(recorded.terms or "{}"))) <= set(_pairs(terms(content.terms)))
    return msgspec.structs.replace(
        content,
        view=recorded.view if same_view else _as_then(recorded.view, content.view),
        terms=recorded.terms if same_terms else content.terms,
        changes=tuple(map(_change, content.changes)),
    )


def _as_then(recorded: str, computed: str) -> str:
    """Return a computed view (JSON) without the fields that views had not yet, where they say nothing new."""
    read = msgspec.to_builtins(open_view(recorded))
    return _json.encode(_without(msgspec.json.decode(recorded), read, msgspec.json.decode(computed))).decode()


def _without(raw: Any, read: Any, computed: Any) -> Any:
    """Return what was computed without members that `raw` lacks and that are as it is read today."""
    if isinstance(raw, dict) and isinstance(read, dict) and isinstance(computed, dict):
        kept = {key: value for key, value in computed.items() if key in raw or value != read.get(key)}
        return {key: _without(raw.get(key), read.get(key), value) for key, value in kept.items()}
    if isinstance(raw, list) and isinstance(read, list | tuple) and isinstance(computed, list):
        return [_without(*three) for three in zip(raw, read, computed, strict=False)] + computed[len(raw) :]
    return computed


def _pairs(data: object) -> list[tuple[str, str]]:
    return [(key, str(value)) for key, value in data.items()] if isinstance(data, dict) else []


def _change(change: Change) -> Change:
    """Return a change with the fields of format 1 alone, and the subject as it was written then."""
    kind, _, key = change.subject.partition("-")
    subject = key if kind in ("milestone", "risk", "concern") else ""
    fields = ("kind", "title", "before", "after", "note", "why", "say")
    return Change(**{name: getattr(change, name) for name in fields}, subject=subject)
