"""Which lines of a proposal are ticked, and under which titles clients may see what they add.

Rule: a title is proposed and never taken by itself; only a tick makes a milestone client-facing. An offered task that
clients may see is followed.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec
from starlette.datastructures import FormData

from domain.errors import Invalid
from domain.language import gettext as _
from web.proposal.compare import Proposal
from web.proposal.lines import ProposalLine


class Ticks(msgspec.Struct, frozen=True, kw_only=True):
    """How the form of a proposal stands."""

    lines: AbstractSet[str]  # keys of those to accept
    shown: AbstractSet[str]  # keys of added milestones that clients may see
    titles: Mapping[str, str]  # for clients, by key


def ticks(query: Mapping[str, str], proposal: Proposal | None, form: FormData | None) -> Ticks:
    """Return the ticks as they were sent; before that, as proposed, or "all" or "none" of `?line=` and `?shown=`."""
    lines = proposal.lines if proposal else ()
    added = {line.key: line.title for line in lines if line.kind == "added"}
    if form is not None:
        titles = {key: str(form.get(f"title.{key}", title)) for key, title in added.items()}
        shown = _sent(form, "shown")
        followed = {line.key for line in lines if line.offered and line.key in shown}
        return Ticks(lines=_sent(form, "line") | followed, shown=shown, titles=titles)
    doubted = proposal is not None and bool(proposal.doubt)
    every = {line.key for line in lines if doubted or line.a_task or not line.offered}
    proposed = {line.key for line in lines if not line.offered}
    chosen = {"all": every, "none": set[str]()}.get(query.get("line", ""), proposed)
    return Ticks(lines=chosen, shown=set(added) if query.get("shown") == "all" else set(), titles=added)


def _sent(form: FormData, name: str) -> AbstractSet[str]:
    return {str(value) for value in form.getlist(name)}


def client_titles(form: FormData, lines: Sequence[ProposalLine]) -> dict[str, str]:
    """Return the titles for clients of the milestones among these lines that clients may see, by key.

    Raises: Invalid where one of them has none.
    """
    shown = _sent(form, "shown")
    titles = {}
    for line in lines:
        if line.kind != "added" or line.key not in shown:
            continue
        titles[line.key] = title = str(form.get(f"title.{line.key}", line.title)).strip()
        if not title:
            message = _("“{title}” has no title for clients. Type one, or untick it.", title=line.title)
            raise Invalid(message, f"title.{line.key}")
    return titles
