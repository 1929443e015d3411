"""A risk register compared with that of a project: what is new, changed, gone, unchanged.

Rule: nothing closes or renames by itself. What the file does not say stays as it is, and what cannot be taken over
becomes a note. A risk whose reference changed is asked about.
"""

from collections.abc import Callable, Sequence

import msgspec

from domain.ids import RiskId
from domain.language import gettext as _
from domain.plan.project import PlainCommand, Project
from domain.plan.risks import (
    CloseRisk,
    DescribeRisk,
    Points,
    RaiseRisk,
    ReopenRisk,
    Risk,
    RiskDetails,
    ScoreRisk,
)
from projections.wording.values import PROXIMITY, RESPONSE
from web.importers.registers.found import ListedRisk, RiskTable
from web.proposal.lines import ORDER, Kind, Proposal, ProposalLine
from web.proposal.meaning import Meanings, Meant
from web.proposal.notes import Notes

TEXTS = ("title", "event", "cause", "effect", "owner", "actionee", "author", "category")
SHOWN = 80  # characters of a text in a line


class RegisterProposal(Proposal, frozen=True, kw_only=True):
    """All that a register would change, and what its words mean."""

    words: tuple[Meant, ...] = ()

    @property
    def asked(self) -> tuple[Meant, ...]:
        """The words of which it is not known what they mean."""
        return tuple(word for word in self.words if not word.chosen)


def propose(project: Project, table: RiskTable, new_id: Callable[[], str]) -> RegisterProposal:
    """Return what a register would change in a project; `new_id` gives the id of each new risk."""
    compared = ComparedRegister(project, table, new_id)
    for risk in table.risks:
        compared.take(risk)
    compared.missing()
    return RegisterProposal(
        lines=tuple(sorted(compared.lines, key=lambda line: (line.kind == "missing", ORDER.index(line.kind)))),
        unchanged=compared.unchanged,
        doubt=compared.doubt,
        notes=(*compared.all_notes(), *table.notes),
        reason=_("Imported risk register"),
        words=compared.meanings.told(),
    )


class Paired:
    """The pairs of listed risks and risks: by reference and title, by title, then by reference."""

    def __init__(self, risks: Sequence[Risk], listed: Sequence[ListedRisk]) -> None:
        self.of: dict[str, Risk] = {}
        self._free = {risk.id: risk for risk in risks}
        self.renamed = 0
        by_ref = {_same(risk.details.ref): risk for risk in risks}
        for one in listed:
            old = by_ref.get(_same(one.ref))
            if old is not None and _same(old.details.title) == _same(one.title):
                self._take(one, old)
        self._by_title(listed)
        for one in listed:
            old = by_ref.get(_same(one.ref))
            if one.ref not in self.of and old is not None and old.id in self._free:
                self._take(one, old)
                self.renamed += 1

    def _by_title(self, listed: Sequence[ListedRisk]) -> None:
        ours: dict[str, list[Risk]] = {}
        theirs: dict[str, list[ListedRisk]] = {}
        for risk in self._free.values():
            ours.setdefault(_same(risk.details.title), []).append(risk)
        for one in listed:
            if one.ref not in self.of:
                theirs.setdefault(_same(one.title), []).append(one)
        for title, some in theirs.items():
            found = ours.get(title, [])
            if len(some) == len(found) == 1:
                self._take(some[0], found[0])

    def _take(self, one: ListedRisk, old: Risk) -> None:
        self.of[one.ref] = old
        self._free.pop(old.id, None)

    @property
    def left(self) -> list[Risk]:
        """The risks that are in no pair."""
        return list(self._free.values())


class ComparedRegister:
    """Compares the risks of a register with those of a project; lines and notes collect in it."""

    def __init__(self, project: Project, table: RiskTable, new_id: Callable[[], str]) -> None:
        self.project, self.table, self._new_id = project, table, new_id
        self._ours = list(project.risks.risks.values())
        self._pairs = Paired(self._ours, table.risks)
        self.meanings = Meanings(table, project.scale)
        self.lines: list[ProposalLine] = []
        self.unchanged = 0
        self._notes = Notes()
        self._unknown = 0  # new risks whose score or response is not known
        self._proximity = 0
        self.doubt = self._doubt()

    def _doubt(self) -> str:
        """Return why this may be the register of another project, "" where nothing says so."""
        pairs = self._pairs
        if self._ours and self.table.risks and not pairs.of:
            return _("None of the {n} risks here is in this file.", n=len(self._ours))
        if pairs.renamed >= 2 and pairs.renamed * 2 > len(pairs.of):
            return _("{renamed} of {n} would be renamed.", renamed=pairs.renamed, n=len(pairs.of))
        return ""

    def all_notes(self) -> list[str]:
        """Return what a person should know."""
        said = []
        if self._unknown:
            said.append(
                _("New risks left out until it is said what their words mean: {n}.", n=self._unknown),
            )
        if self.meanings.left:
            said.append(_("Different words beyond the first 60, which were left out: {n}.", n=self.meanings.left))
        if self._proximity:
            said.append(
                _(
                    "The file does not say how near {n} new risks are; they are recorded as within the project.",
                    n=self._proximity,
                )
            )
        scale = list[str]()
        top, size = self.meanings.highest(), self.project.scale.size
        if 1 < top < size:
            told = _(
                "Numbers are taken as points of this project’s scale, 1 to {size}; the highest in the file is {top}. "
                "If its scale ends there, say what each means.",
                size=size,
                top=top,
            )
            scale.append(told)
        return [*said, *self._notes.all(), *scale]

    def take(self, one: ListedRisk) -> None:
        """Compare one risk of the file with the project’s."""
        old = self._pairs.of.get(one.ref)
        if old is None:
            self._raise(one)
            return
        before = len(self.lines)
        asked = _same(old.details.ref) != _same(one.ref)
        if asked:
            self._notes.add(
                "ref",
                _(
                    "{was} has the reference {now} in the file (line {line}). Is it the same risk? Then tick it.",
                    was=old.details.ref,
                    now=one.ref,
                    line=one.line,
                ),
            )
        closed = self.meanings.closed(one.status, one.line)
        if old.closed and closed is False:
            self._line("reopened", one, _("closed"), _("active"), self._reopen(old), offered=asked)
        self._describe(one, old, asked)
        if not old.closed or closed is False:
            self._score(one, old, asked)
        if not old.closed and closed:
            why = _("Closed in the imported register")
            command = CloseRisk(project=self.project.id, risk=old.id, reason=why)
            self._line("closed", one, _("active"), _("closed"), command, offered=True)
        self.unchanged += len(self.lines) == before

    def _reopen(self, old: Risk) -> ReopenRisk:
        return ReopenRisk(project=self.project.id, risk=old.id, reason=_("Active in the imported register"))

    def _line(
        self,
        kind: Kind,
        one: ListedRisk,
        before: str,
        after: str,
        *commands: PlainCommand,
        note: str = "",
        offered: bool = False,
    ) -> None:
        self.lines.append(
            ProposalLine(
                kind=kind, source_id=one.ref, title=f"{one.ref} {one.title}", before=before, after=after, note=note,
                commands=commands, offered=offered or bool(self.doubt),
            )
        )  # fmt: skip

    def _points(self, one: ListedRisk, which: str = "", other: str = "") -> Points | None:
        """Return the points of a risk, None where the file does not say both or it is not known what it says.

        `which` begins the names of the fields, `other` of those that stand in where one is empty.
        """
        found: list[int] = []
        for part in ("probability", "impact"):
            field = f"{which}{part}" if getattr(one, f"{which}{part}") else f"{other}{part}"
            word = getattr(one, field)
            if word and (value := self.meanings.points(field, word, one.line)):
                found.append(value)
        return Points(found[0], found[1]) if len(found) == 2 else None

    def _actions(self, one: ListedRisk) -> str:
        """Return what is done: a response that names no kind of response says that too."""
        text = "" if self.meanings.names_response(one.response) else one.response
        return "\n".join(filter(None, (text, one.actions)))

    def _raise(self, one: ListedRisk) -> None:
        if not (one.probability or one.inherent_probability) or not (one.impact or one.inherent_impact):
            told = _(
                "{ref} (line {line}) has no probability or no impact, so it was left out.", ref=one.ref, line=one.line
            )
            self._notes.add("unscored", told)
            return
        residual = self._points(one, "", "inherent_")
        inherent = self._points(one, "inherent_", "")
        response = self.meanings.response(one.response, one.line)
        closed = self.meanings.closed(one.status, one.line)
        near = self.meanings.proximity(one.proximity, one.line)
        if (one.status and closed is None) or (one.proximity and near is None):
            self._unknown += 1
            return
        if residual is None or inherent is None or response is None:
            self._unknown += 1
            return
        if residual.score > inherent.score:
            told = _(
                "{ref} (line {line}) has a higher score after the response than before it, so it was left out.",
                ref=one.ref,
                line=one.line,
            )
            self._notes.add("worse", told)
            return
        details = RiskDetails(
            ref=one.ref, title=one.title, category=one.category, cause=one.cause, event=one.event, effect=one.effect,
            response=response, response_actions=self._actions(one), owner=one.owner, actionee=one.actionee,
            author=one.author, proximity=near or "within_project",
        )  # fmt: skip
        key = RiskId(self._new_id())
        commands: list[PlainCommand] = [
            RaiseRisk(project=self.project.id, risk=key, details=details, inherent=inherent, residual=residual)
        ]
        note = ""
        if closed:
            why = _("Closed in the imported register")
            commands.append(CloseRisk(project=self.project.id, risk=key, reason=why))
            note = _("closed in the file")
        self._proximity += near is None
        self._line("raised", one, "", _scored(residual), *commands, note=note, offered=bool(closed))

    def _describe(self, one: ListedRisk, old: Risk, asked: bool) -> None:
        new: dict[str, str] = {field: getattr(one, field) for field in TEXTS} | {"response_actions": self._actions(one)}
        if self.meanings.names_response(one.response):
            new["response"] = self.meanings.response(one.response, one.line) or ""
        new["proximity"] = self.meanings.proximity(one.proximity, one.line) or ""
        if asked:
            new["ref"] = one.ref
        changes = {field: value for field, value in new.items() if value and value != getattr(old.details, field)}
        if not changes:
            return
        details = msgspec.structs.replace(old.details, **changes)
        olds = {field: getattr(old.details, field) for field in changes}
        before = "; ".join(_shown(field, value) for field, value in olds.items() if value)
        after = "; ".join(_shown(field, value) for field, value in changes.items())
        command = DescribeRisk(project=self.project.id, risk=old.id, details=details)
        note = ", ".join(_FIELDS[field]() for field in changes)
        self._line("described", one, before, after, command, note=note, offered=asked)

    def _score(self, one: ListedRisk, old: Risk, asked: bool) -> None:
        inherent = self._points(one, "inherent_")
        points = self._points(one)
        if inherent is not None and inherent != old.inherent:
            told = _(
                "{ref} was scored {was} before any response here, {now} in the file. That stays as it was recorded.",
                ref=old.details.ref,
                was=_scored(old.inherent),
                now=_scored(inherent),
            )
            self._notes.add("inherent", told)
        if points is None or points == old.residual:
            return
        reason = _("Imported risk register")
        command = ScoreRisk(project=self.project.id, risk=old.id, residual=points, reason=reason)
        self._line("scored", one, _scored(old.residual), _scored(points), command, offered=asked)

    def missing(self) -> None:
        """Offer to close active risks that are not in the file; none is closed by itself."""
        for old in self._pairs.left:
            if old.closed or _same(old.details.ref) in self.table.present:
                continue
            command = CloseRisk(project=self.project.id, risk=old.id, reason=_("No longer in the imported register"))
            line = ProposalLine(
                kind="missing",
                source_id=old.details.ref,
                title=f"{old.details.ref} {old.details.title}",
                before=_scored(old.residual),
                after="",
                note=_("would be closed"),
                commands=(command,),
                offered=True,
            )
            self.lines.append(line)


def _same(told: str) -> str:
    return " ".join(told.casefold().split())


def _scored(points: Points) -> str:
    return f"{points.probability} × {points.impact} = {points.score}"


def _shown(field: str, value: str) -> str:
    names = {"response": RESPONSE, "proximity": PROXIMITY}
    told = names[field][value] if field in names else " ".join(value.split())
    return told if len(told) <= SHOWN else told[: SHOWN - 1] + "…"


_FIELDS: dict[str, Callable[[], str]] = {
    "ref": lambda: _("reference"),
    "title": lambda: _("title"),
    "event": lambda: _("event"),
    "cause": lambda: _("cause"),
    "effect": lambda: _("effect"),
    "owner": lambda: _("owner"),
    "actionee": lambda: _("actionee"),
    "author": lambda: _("author"),
    "proximity": lambda: _("proximity"),
    "category": lambda: _("category"),
    "response": lambda: _("response"),
    "response_actions": lambda: _("what is done"),
}
