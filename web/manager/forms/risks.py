"""The forms that change the risk register: one function a command. Pure."""

from typing import get_args

from domain.message import Command
from domain.plan import risks
from domain.plan.risks import Points, Proximity, Response, RiskDetails
from web.forms.fields import Field
from web.forms.form import Form
from web.manager.forms.asked import Ask, reason, slot

PROXIMITY = {
    "imminent": "Imminent", "within_stage": "Within this stage", "within_project": "Within the project",
    "beyond_project": "Beyond the project",
}  # fmt: skip
RESPONSE = {
    "avoid": "Avoid", "reduce": "Reduce", "transfer": "Transfer", "share": "Share", "accept": "Accept",
    "prepare_contingent_plans": "Prepare contingent plans",
}  # fmt: skip
MORE = tuple(
    f"details.{name}"
    for name in ("category", "event", "proximity", "response", "response_actions", "actionee", "author")
)


def _details(d: RiskDetails) -> tuple[Field, ...]:
    near = tuple((p, PROXIMITY[p]) for p in get_args(Proximity))
    responses = tuple((r, RESPONSE[r]) for r in get_args(Response))
    facing = "yes" if d.client_facing else ""
    return (
        Field(name="details.ref", label="Reference", value=d.ref, required=True, help="Such as R-07.", slim=True),
        Field(name="details.title", label="Title among us", value=d.title, required=True, help="Clients never see it."),
        Field(name="details.client_title", label="Title for clients", value=d.client_title),
        Field(
            name="details.client_facing", label="Client-facing", kind="yes", value=facing,
            help="Agreements that share “all client-facing” risks will show it.",
        ),
        Field(name="details.cause", label="Cause", kind="text", value=d.cause),
        Field(name="details.effect", label="Effect", kind="text", value=d.effect),
        Field(name="details.owner", label="Owner", value=d.owner, help="Exactly one."),
        Field(name="details.category", label="Category", value=d.category),
        Field(name="details.event", label="Event", kind="text", value=d.event),
        Field(name="details.proximity", label="Proximity", kind="choice", value=d.proximity, options=near),
        Field(name="details.response", label="Response", kind="choice", value=d.response, options=responses),
        Field(name="details.response_actions", label="What is done", kind="text", value=d.response_actions),
        Field(name="details.actionee", label="Actionee", value=d.actionee),
        Field(name="details.author", label="Author", value=d.author),
    )  # fmt: skip


def _points(ask: Ask, name: str, label: str, value: Points | None) -> tuple[Field, ...]:
    scale = tuple((str(i), str(i)) for i in range(1, ask.project.scale.size + 1))
    given = (str(value.probability), str(value.impact)) if value else ("", "")
    shown = f"{label}: " if label else ""
    parts = zip(("probability", "impact"), given, strict=True)
    return tuple(
        Field(
            name=f"{name}.{part}", label=(shown + word).capitalize(), kind="whole", value=text, options=scale,
            required=True, slim=True,
        )
        for (part, text), word in zip(parts, ("likelihood", "impact"), strict=True)
    )  # fmt: skip


def raise_one(ask: Ask) -> Form:
    """Return the form for a new risk."""
    fields = (
        *_details(RiskDetails(ref="", title=""))[:4],
        *_points(ask, "inherent", "before any response", None),
        *_points(ask, "residual", "now", None),
        *_details(RiskDetails(ref="", title=""))[4:],
    )
    return Form(
        command=risks.RaiseRisk,
        title="Raise a risk",
        button="Raise risk",
        fields=fields,
        fixed={"project": ask.project.id, "risk": ask.new_id},
        slot=slot("risks"),
        fold=MORE,
    )


def describe(ask: Ask) -> Form:
    """Return the form for what describes a risk."""
    details = ask.risk().details
    return _one(ask, risks.DescribeRisk, "Describe", "Save", _details(details), about=details, fold=MORE)


def score(ask: Ask) -> Form:
    """Return the form for our own score."""
    residual = ask.risk().residual
    fields = (*_points(ask, "residual", "", residual), reason("What made it better or worse."))
    return _one(ask, risks.ScoreRisk, "Score", "Record", fields, about=residual)


def ask_client(ask: Ask) -> Form:
    """Return the form that asks a client for its view."""
    fields = (Field(name="client", label="Client", kind="choice", options=ask.clients(), required=True),)
    note = "The client’s dashboard says that its view is needed, where its agreement covers its own score."
    return _one(ask, risks.AskClientView, "Ask for a view of", "Ask", fields, note)


def client_score(ask: Ask) -> Form:
    """Return the form for a view a client gave elsewhere."""
    who = Field(name="client", label="Client", kind="choice", options=ask.clients(), required=True)
    theirs = {client for client, _ in who.options}
    people = sorted((p for p in ask.directory.people.values() if p.client in theirs), key=lambda p: p.name)
    by = Field(
        name="by", label="Given by", kind="choice", required=True,
        options=tuple((p.id, p.name) for p in people if p.role == "viewer" and not p.disabled),
    )  # fmt: skip
    fields = (who, by, *_points(ask, "points", "", None))
    return _one(ask, risks.ScoreAsClient, "Record a client’s view of", "Record", fields)


def note(ask: Ask) -> Form:
    """Return the form for an internal note."""
    fields = (Field(name="note", label="Note", kind="text", required=True, help="No agreement can share it."),)
    return _one(ask, risks.TakeRiskNote, "Note on", "Keep note", fields)


def close(ask: Ask) -> Form:
    """Return the form that closes a risk."""
    return _one(ask, risks.CloseRisk, "Close", "Close risk", (reason(),), about=ask.risk().closed)


def reopen(ask: Ask) -> Form:
    """Return the form that opens a risk again."""
    return _one(ask, risks.ReopenRisk, "Reopen", "Reopen risk", (reason(),), about=ask.risk().closed)


def _one(
    ask: Ask,
    command: type[Command],
    title: str,
    button: str,
    fields: tuple[Field, ...],
    note: str = "",
    about: object = None,
    fold: tuple[str, ...] = (),
) -> Form:
    r = ask.risk()
    return Form(
        command=command,
        title=f"{title} {r.details.ref}",
        button=button,
        fields=fields,
        fixed={"project": ask.project.id, "risk": r.id},
        slot=slot("r", r.id),
        note=note,
        about=about,
        fold=fold,
    )
