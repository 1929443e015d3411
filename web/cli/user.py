"""`fanlight user`: the organisation, clients and people, changed by the operator of the installation."""

from datetime import UTC, datetime, time, timedelta
from functools import partial

import msgspec

from domain.errors import Invalid, Unknown
from domain.ids import ClientId, CommandId, ProjectId
from domain.language import gettext as _
from domain.people.brand import NameOrganisation
from domain.people.clients import RegisterClient
from domain.people.memberships import EndMembership
from domain.people.passkeys import ConfirmPasskeyReplacement
from domain.people.person import AssignProjects, ChangeRole, DisablePerson, Person
from domain.people.rules import RequirePasskeys
from domain.people.tokens import RevokeToken
from projections.events.present import CurrentWorld
from projections.events.world import World
from projections.installation.folder import Logs
from web import clock
from web.cli.arguments import Arguments, Commands, settings_of
from web.forms.days import typed_day
from web.identity.credentials import Allows, Credentials
from web.ids import new_id
from web.mail import state
from web.mail.own import confirm_token
from web.mail.sender import MailSender, SenderPorts
from web.mail.stop import stop_token
from web.mail.writer import mail_settings
from web.process import open_logs
from web.settings import Settings, add_flags
from web.write.permission import OPERATOR
from web.write.service import Service

ANOTHER = timedelta(hours=24)  # in which somebody may add a passkey in place of one they lost
SMTP_PATIENCE = 60.0  # seconds in which a mail server has answered, or is away


def add_parsers(commands: Commands) -> None:
    """Add the command with its actions."""
    user = commands.add_parser("user", help=_("clients, people, links and tokens"))
    actions = user.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_clients(actions)
    _add_people(actions)
    _add_access(actions)
    listing = actions.add_parser("list", help=_("list clients and people"))
    listing.set_defaults(act=_list)
    for parser in dict.fromkeys(actions.choices.values()):
        add_flags(
            parser,
            (
                *("data", "database_url", "public_url", "host", "port", "link_hours", "token_days"),
                "token_days_most",
                *("smtp_url", "mail_from"),
            ),
        )
        parser.set_defaults(run=run)


def _add_clients(actions: Commands) -> None:
    name = actions.add_parser("organisation", help=_("name the organisation that shares"))
    name.add_argument("name")
    name.set_defaults(act=_name_organisation)
    client = actions.add_parser("client", help=_("register a client; prints its id"))
    client.add_argument("name")
    client.add_argument("--time-zone", default="Europe/London", help=_("IANA name (default Europe/London)"))
    client.set_defaults(act=_register_client)


def _add_people(actions: Commands) -> None:
    invite = actions.add_parser("invite", help=_("invite a person; emails a one-time sign-in link, or prints it"))
    invite.add_argument("email")
    invite.add_argument("--name", required=True)
    invite.add_argument("--role", required=True, choices=("admin", "manager", "auditor", "viewer"))
    invite.add_argument("--client", help=_("id or name of the client, for a viewer"))
    which = _("for a manager: ids or titles of projects, with commas between, or all (default)")
    invite.add_argument("--projects", default="all", help=which)
    invite.set_defaults(act=_invite)
    projects = actions.add_parser("projects", help=_("say which projects a manager manages"))
    projects.add_argument("email")
    projects.add_argument("projects", help=_("ids or titles, with commas between, or all"))
    projects.set_defaults(act=_assign_projects)
    role = actions.add_parser("role", help=_("change what somebody of the organisation is"))
    role.add_argument("email")
    role.add_argument("role", choices=("admin", "manager", "auditor"))
    role.add_argument("--projects", default="all", help=which)
    role.set_defaults(act=_change_role)
    needed = actions.add_parser("require-passkeys", help=_("say whether the organisation's own people need a passkey"))
    needed.add_argument("required", choices=("yes", "no"))
    needed.set_defaults(act=_require_passkeys)
    another = actions.add_parser("replace-passkey", help=_("let one of the organisation add a passkey for a day"))
    another.add_argument("email")
    another.set_defaults(act=_replace_passkey)


def _add_access(actions: Commands) -> None:
    link = actions.add_parser("link", help=_("print a new sign-in link for a person"))
    link.add_argument("email")
    link.set_defaults(act=_new_link)
    token = actions.add_parser("token", help=_("print a bearer token for the JSON API; shown once"))
    token.add_argument("email")
    token.add_argument("--label", required=True, help=_("what it is for"))
    token.add_argument(
        "--scopes", help=_("read, change, or both with a comma between; default: all that its holder may")
    )
    token.add_argument("--projects", default="all", help=_("ids or titles, with commas between, or all (default)"))
    token.add_argument("--until", help=_("its last day, such as 2027-06-30 (UTC); default: --token-days from now"))
    token.set_defaults(act=_new_token)
    listed = actions.add_parser("tokens", help=_("list the bearer tokens of a person, or of everybody"))
    listed.add_argument("email", nargs="?")
    listed.set_defaults(act=_list_tokens)
    revoke = actions.add_parser("revoke", help=_("revoke a bearer token, by its id"))
    revoke.add_argument("token", help=_("as `fanlight user tokens` lists it"))
    revoke.set_defaults(act=_revoke_token)
    end = actions.add_parser("end", help=_("end a person's access: sessions, links and tokens"))
    end.add_argument("email")
    end.add_argument("--reason", required=True)
    end.add_argument("--client", help=_("id or name of a client: end what they are to this one alone"))
    end.set_defaults(act=_end_access)


class _Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What the actions work with."""

    settings: Settings
    world: World
    service: Service
    people: Credentials
    sender: MailSender | None  # None where no mail server is set

    def record(
        self,
        command: NameOrganisation | RegisterClient | DisablePerson | AssignProjects | ChangeRole | EndMembership
        | RevokeToken | RequirePasskeys | ConfirmPasskeyReplacement,
    ) -> None:  # fmt: skip
        """Record a command in the operator's name."""
        self.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    def print_link(self, secret: str) -> None:
        """Print the address of a sign-in link."""
        print(f"{self.settings.origin}/in/{secret}")
        print(_("Good once, for {link_hours} hours.", link_hours=self.settings.link_hours))
        if not self.settings.public_url:
            told = _(
                "It opens where `fanlight serve` listens on port {port}, the default unless --port says otherwise. "
                "Give the same --port or --public-url here as there.",
                port=self.settings.port,
            )
            print(told)


def run(given: Arguments) -> int:
    """Carry out one action and print its result.

    Raises: BadSetting, Refused.
    """
    settings = settings_of(given)
    folder = open_logs.logs(settings, reading=given["act"] is _list)
    try:
        present = CurrentWorld(folder.events)
        service = Service(folder.events, present, clock.now)
        people = Credentials(
            service, present, clock.now, link_hours=settings.link_hours, session_hours=settings.session_hours
        )
        sender = _sender(settings, folder, present, people, service) if given["act"] is _invite else None
        desk = _Desk(settings=settings, world=present.world, service=service, people=people, sender=sender)
        given["act"](desk, given)
    finally:
        folder.close()
    return 0


def _sender(
    settings: Settings, folder: Logs, present: CurrentWorld, people: Credentials, service: Service
) -> MailSender | None:
    """Return who mails an invitation, None where no mail server is set."""
    mailing = mail_settings(settings)
    if mailing is None:
        return None
    ports = SenderPorts(
        service=service,
        present=present,
        credentials=people,
        disclosure=folder.disclosure,
        stop_token=partial(stop_token, folder.events.fingerprint),
        confirm_token=partial(confirm_token, folder.events.fingerprint),
        clock=clock.now,
    )
    return MailSender(mailing, ports)


def _name_organisation(desk: _Desk, given: Arguments) -> None:
    desk.record(NameOrganisation(name=given["name"]))


def _register_client(desk: _Desk, given: Arguments) -> None:
    client = ClientId(new_id())
    desk.record(RegisterClient(client=client, name=given["name"], time_zone=given["time_zone"]))
    print(client)


def _invite(desk: _Desk, given: Arguments) -> None:
    client = _client(desk.world, given["client"]) if given["client"] else None
    projects = _projects(desk.world, given["projects"])
    person, secret = desk.people.invite(
        OPERATOR, name=given["name"], email=given["email"], role=given["role"], client=client, projects=projects
    )
    if desk.sender is None:
        desk.print_link(secret)
    else:
        mail = desk.sender.invite(OPERATOR, person, client, secret)
        desk.sender.finish(SMTP_PATIENCE)
        print(state.state(mail, "UTC") if mail is not None else _("Not sent: this access has ended meanwhile."))
        print(_("`fanlight user link {email}` prints a link to pass on instead.", email=given["email"]))


def _assign_projects(desk: _Desk, given: Arguments) -> None:
    projects = _projects(desk.world, given["projects"])
    desk.record(AssignProjects(person=_person(desk.world, given["email"]).id, projects=projects))


def _change_role(desk: _Desk, given: Arguments) -> None:
    projects = _projects(desk.world, given["projects"])
    person = _person(desk.world, given["email"]).id
    desk.record(ChangeRole(person=person, role=given["role"], projects=projects))


def _require_passkeys(desk: _Desk, given: Arguments) -> None:
    desk.record(RequirePasskeys(required=given["required"] == "yes"))


def _replace_passkey(desk: _Desk, given: Arguments) -> None:
    person = _person(desk.world, given["email"]).id
    desk.record(ConfirmPasskeyReplacement(person=person, expires=clock.now() + ANOTHER))


def _new_link(desk: _Desk, given: Arguments) -> None:
    desk.print_link(desk.people.link(OPERATOR, _person(desk.world, given["email"]).id))


def _new_token(desk: _Desk, given: Arguments) -> None:
    scopes, projects = given["scopes"], _projects(desk.world, given["projects"])
    allows = Allows(
        scopes=tuple(part.strip() for part in scopes.split(",")) if scopes else None,
        projects=projects,
        expires=_end_of(given["until"], desk.settings.longest_token) if given["until"] else None,
    )
    print(desk.people.token(OPERATOR, _person(desk.world, given["email"]).id, given["label"], allows))


def _end_of(typed: str, most: timedelta) -> datetime:
    """Return the end of a day, UTC.

    Raises: Invalid.
    """
    try:
        end = datetime.combine(typed_day(typed), time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise Invalid(str(error)) from None
    if end > clock.now() + most + timedelta(days=1):
        raise Invalid(_("A token works for {most} days at most. Choose an earlier day.", most=most.days))
    return end


def _list_tokens(desk: _Desk, given: Arguments) -> None:
    email = given["email"]
    people = [_person(desk.world, email)] if email else desk.world.people.values()
    for person in people:
        for token in sorted(person.tokens.values(), key=lambda token: token.issued):
            until = desk.settings.token_ends(token)
            said = _("until {until:%Y-%m-%d}", until=until) if until > clock.now() else _("has expired")
            covers = ",".join(token.scopes) if token.scopes is not None else _("all")
            only = f"  {','.join(token.projects)}" if token.projects is not None else ""
            print(f"{token.id}  {person.email}  {token.label}  {said}  {covers}{only}")


def _revoke_token(desk: _Desk, given: Arguments) -> None:
    holders = [person for person in desk.world.people.values() if given["token"] in person.tokens]
    if not holders:
        raise Unknown(
            _("There is no token {token!r}. `fanlight user tokens` lists those there are.", token=given["token"])
        )
    desk.record(RevokeToken(person=holders[0].id, token=given["token"]))


def _end_access(desk: _Desk, given: Arguments) -> None:
    person, reason = _person(desk.world, given["email"]).id, given["reason"]
    if given["client"]:
        desk.record(EndMembership(person=person, client=_client(desk.world, given["client"]), reason=reason))
    else:
        desk.record(DisablePerson(person=person, reason=reason))


def _person(world: World, email: str) -> Person:
    with_access = [person for person in world.people.values() if email in person.addresses and person.comes_in]
    if not with_access:
        raise Unknown(_("Nobody with the address {email} has access. `fanlight user list` shows who has.", email=email))
    return with_access[0]


def _client(world: World, wanted: str) -> ClientId:
    for client in world.clients.values():
        if wanted in (client.id, client.name):
            return client.id
    raise Unknown(_("There is no client {wanted!r}. `fanlight user client NAME` registers one.", wanted=wanted))


def _projects(world: World, wanted: str) -> tuple[ProjectId, ...] | None:
    """Return the projects that are named, by id or title, with commas between; None for "all"."""
    if wanted == "all":
        return None
    named: set[ProjectId] = set()
    for name in filter(None, (part.strip() for part in wanted.split(","))):
        fits = [project.id for project in world.projects.values() if name in (project.id, project.title)]
        if len(fits) != 1:
            raise Unknown(
                _("There is no one project {name!r}. Name it by its id, as in its address, or by its title.", name=name)
            )
        named.update(fits)
    return tuple(sorted(named))


def _list(desk: _Desk, _given: Arguments) -> None:
    world = desk.world
    print(world.organisation or _("(organisation not named)"))
    for client in sorted(world.clients.values(), key=lambda client: client.name):
        print(_("client   {id}  {name}", id=client.id, name=client.name))
    for person in sorted(world.people.values(), key=lambda person: (person.role, person.name)):
        names = ", ".join(world.client_name(client) for client in person.clients or person.memberships)
        only = [] if person.projects is None else [", ".join(person.projects) or _("no project")]
        of = [_("of {of}", of=one) for one in (*([names] if names else []), *only)]
        ended = "" if person.comes_in else f"  {_ended()}"
        print(" ".join([f"{person.role:8} {person.id}  {person.name} <{person.email}>", *of]) + ended)


def _ended() -> str:
    return _("(ended)")
