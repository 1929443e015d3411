"""The forms that change the risk register: one function for each command."""

from typing import get_args

from domain.ids import ClientId
from domain.language import gettext as _
from domain.plan import risks
from domain.plan.risks import Points, Proximity, Response, RiskDetails
from projections.wording.values import PROXIMITY, RESPONSE
from web.forms.fields import Field
from web.forms.form import Form
from web.manager.forms.asked import Ask, at_risk, reason, slot, titled

MORE = tuple(
    f"details.{name}"
    for name in ("category", "event", "proximity", "response", "response_actions", "actionee", "author")
)


def _details(d: RiskDetails) -> tuple[Field, ...]:
    near = tuple((p, PROXIMITY[p]) for p in get_args(Proximity))
    responses = tuple((r, RESPONSE[r]) for r in get_args(Response))
    facing = "yes" if d.client_facing else ""
    return (
        Field(name="details.ref", label=_("Reference"), value=d.ref, required=True, help=_("Such as R-07."), slim=True),
        Field(
            name="details.title",
            label=_("Internal title"),
            value=d.title,
            required=True,
            help=_("Clients never see it."),
        ),
        Field(name="details.client_title", label=_("Title for clients"), value=d.client_title),
        Field(
            name="details.client_facing",
            label=_("Client-facing"),
            kind="yes",
            value=facing,
            help=_("Agreements that share “all client-facing” risks will show it."),
        ),
        Field(name="details.cause", label=_("Cause"), kind="text", value=d.cause),
        Field(name="details.effect", label=_("Effect"), kind="text", value=d.effect),
        Field(name="details.owner", label=_("Owner"), value=d.owner, help=_("Exactly one.")),
        Field(name="details.category", label=_("Category"), value=d.category),
        Field(name="details.event", label=_("Event"), kind="text", value=d.event),
        Field(name="details.proximity", label=_("Proximity"), kind="choice", value=d.proximity, options=near),
        Field(name="details.response", label=_("Response"), kind="choice", value=d.response, options=responses),
        Field(name="details.response_actions", label=_("What is done"), kind="text", value=d.response_actions),
        Field(name="details.actionee", label=_("Actionee"), value=d.actionee),
        Field(name="details.author", label=_("Author"), value=d.author),
    )


def _points(ask: Ask, name: str, labels: tuple[str, str], value: Points | None) -> tuple[Field, ...]:
    scale = tuple((str(i), str(i)) for i in range(1, ask.project.scale.size + 1))
    given = (str(value.probability), str(value.impact)) if value else ("", "")
    parts = zip(("probability", "impact"), given, strict=True)
    return tuple(
        Field(
            name=f"{name}.{part}", label=label, kind="whole", value=text, options=scale, required=True, slim=True,
        )
        for (part, text), label in zip(parts, labels, strict=True)
    )  # fmt: skip


def raise_one(ask: Ask) -> Form:
    """Return the form for a new risk."""
    fields = (
        *_details(RiskDetails(ref="", title=""))[:4],
        *_points(ask, "inherent", (_("Before any response: likelihood"), _("Before any response: impact")), None),
        *_points(ask, "residual", (_("Now: likelihood"), _("Now: impact")), None),
        *_details(RiskDetails(ref="", title=""))[4:],
    )
    return Form(
        command=risks.RaiseRisk,
        title=_("Raise a risk"),
        button=_("Raise risk"),
        fields=fields,
        fixed={"project": ask.project.id, "risk": ask.new_id},
        slot=slot("risks"),
        fold=MORE,
    )


def describe(ask: Ask) -> Form:
    """Return the form for what describes a risk."""
    details = ask.risk().details
    return Form(
        command=risks.DescribeRisk,
        title=titled(_("Describe"), ask.risk()),
        button=_("Save"),
        fields=_details(details),
        about=details,
        fold=MORE,
        **at_risk(ask),
    )


def score(ask: Ask) -> Form:
    """Return the form for our own score."""
    residual = ask.risk().residual
    fields = (
        *_points(ask, "residual", (_("Likelihood"), _("Impact")), residual),
        reason(_("What made it better or worse.")),
    )
    return Form(
        command=risks.ScoreRisk,
        title=titled(_("Score"), ask.risk()),
        button=_("Record"),
        fields=fields,
        about=residual,
        **at_risk(ask),
    )


def ask_client(ask: Ask) -> Form:
    """Return the form that asks a client for its view."""
    fields = (Field(name="client", label=_("Client"), kind="choice", options=ask.clients(), required=True),)
    note = _("The client’s dashboard says that its view is needed, where its agreement covers its own score.")
    return Form(
        command=risks.AskClientView,
        title=titled(_("Ask for a view of"), ask.risk()),
        button=_("Ask"),
        fields=fields,
        note=note,
        **at_risk(ask),
    )


def client_score(ask: Ask) -> Form:
    """Return the form for a view a client gave elsewhere."""
    who = Field(name="client", label=_("Client"), kind="choice", options=ask.clients(), required=True)
    known = [
        (p.id, p.memberships[ClientId(key)].name)
        for key, _ in who.options
        for p in ask.directory.viewers_of(ClientId(key))
    ]
    by = Field(
        name="by",
        label=_("Given by"),
        kind="choice",
        required=True,
        options=tuple(sorted(dict(known).items(), key=lambda pair: pair[1])),
    )
    fields = (who, by, *_points(ask, "points", (_("Likelihood"), _("Impact")), None))
    return Form(
        command=risks.ScoreAsClient,
        title=titled(_("Record a client’s view of"), ask.risk()),
        button=_("Record"),
        fields=fields,
        **at_risk(ask),
    )


def note(ask: Ask) -> Form:
    """Return the form for an internal note."""
    fields = (Field(name="note", label=_("Note"), kind="text", required=True, help=_("No agreement can share it.")),)
    return Form(
        command=risks.TakeRiskNote,
        title=titled(_("Note on"), ask.risk()),
        button=_("Keep note"),
        fields=fields,
        **at_risk(ask),
    )


def close(ask: Ask) -> Form:
    """Return the form that closes a risk."""
    return Form(
        command=risks.CloseRisk,
        title=titled(_("Close"), ask.risk()),
        button=_("Close risk"),
        fields=(reason(),),
        about=ask.risk().closed,
        **at_risk(ask),
    )


def reopen(ask: Ask) -> Form:
    """Return the form that opens a risk again."""
    return Form(
        command=risks.ReopenRisk,
        title=titled(_("Reopen"), ask.risk()),
        button=_("Reopen risk"),
        fields=(reason(),),
        about=ask.risk().closed,
        **at_risk(ask),
    )
