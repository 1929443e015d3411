"""`fanlight status`: the state of an installation, read from its logs, so that it works while nothing serves."""

from datetime import datetime

import msgspec

from domain.language import gettext as _
from projections.events.present import CurrentWorld
from projections.events.world import World
from projections.installation.folder import Logs
from projections.installation.lease import Tenure
from projections.logs.disclosure_log import WAITS
from web.cli.arguments import Commands, settings_of
from web.process import open_logs
from web.settings import BadSetting, Settings, add_flags


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("status", help=_("how the installation stands: who follows, every share, what waits"))
    parser.add_argument("--json", action="store_true", help=_("print it as JSON"))
    add_flags(parser, ("data", "database_url"))
    parser.set_defaults(run=lambda given: print_status(settings_of(given), as_json=given["json"]))


class ShareStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One share; `at` is when its newest update was recorded, UTC."""

    share: str
    client: str
    state: str  # "in force", "draft", "ended", "stopped"
    update: int
    at: datetime | None
    why: str = ""  # it is stopped
    receipts: int  # rows recorded


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One installation."""

    where: str
    events: int  # the newest event's position
    behind: int  # events not yet taken in
    follower: Tenure
    ledger: int  # lines
    shares: list[ShareStatus]

    @property
    def well(self) -> bool:
        """Whether no event waits and no share is stopped."""
        return not self.behind and not any(share.state == "stopped" for share in self.shares)


def status(logs: Logs) -> Status:
    """Return the state of an installation."""
    world = CurrentWorld(logs.events).world
    last, head = logs.ledger.last(), logs.events.head()
    return Status(
        where=logs.where,
        events=head,
        behind=max(0, head - logs.disclosure.position()),
        follower=logs.lease.tenure(),
        ledger=last.index if last else 0,
        shares=[_share(logs, world, key) for key in sorted(world.shares)],
    )


def _share(logs: Logs, world: World, key: str) -> ShareStatus:
    share = world.shares[key]  # type: ignore[index]
    head, parked = logs.disclosure.head(key), logs.disclosure.parked(key)
    state = (
        _("stopped")
        if parked and parked.error != WAITS
        else _("ended")
        if share.revoked_at
        else _("in force")
        if share.active
        else _("draft")
    )
    return ShareStatus(
        share=key,
        client=world.client_name(share.client),
        state=state,
        update=head,
        at=logs.disclosure.recorded_at(key, head) if head else None,
        why=parked.error if parked and parked.error != WAITS else "",
        receipts=logs.receipts.head(key),
    )


def print_status(settings: Settings, *, as_json: bool) -> int:
    """Print the state of the installation; return 0 when all is well, 1 when something waits or is stopped.

    Raises: BadSetting.
    """
    if not settings.database_url and not (settings.data / "events.db").exists():
        raise BadSetting(_("There is no installation in {data}. Name its folder with --data.", data=settings.data))
    logs = open_logs.logs(settings, reading=True)
    try:
        current = status(logs)
    except logs.unreadable as error:
        raise BadSetting(_("{where} does not answer: {error}", where=logs.where, error=error)) from None
    finally:
        logs.close()
    print(msgspec.json.format(msgspec.json.encode(current)).decode() if as_json else _text(current, shared=logs.shared))
    return 0 if current.well else 1


def _text(current: Status, *, shared: bool) -> str:
    lines = [
        current.where,
        _(
            "events     {events}, of which {behind} wait for the follower",
            events=current.events,
            behind=current.behind or _("none"),
        ),
    ]
    if shared:
        left = current.follower.left
        who = (
            _("{holder}, term {term}", holder=current.follower.holder, term=current.follower.term)
            if left > 0
            else _("nobody follows")
        )
        lines.append(_("follower   {who}", who=who))
    lines += [_("ledger     {ledger} lines", ledger=current.ledger), ""]
    for share in current.shares:
        at = _("{at:%Y-%m-%d %H:%M:%S} UTC", at=share.at) if share.at else _("never")
        lines.append(
            _(
                "{share:<14} {state:<9} update {update:<6} {at:<24} {client}",
                share=share.share,
                state=share.state,
                update=share.update,
                at=at,
                client=share.client,
            )
        )
        lines += [f"{'':<14} {share.why}"] if share.why else []
    return "\n".join(lines)
