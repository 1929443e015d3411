"""Checks who is asking, and whether they may, for pages and sockets: `door`, `open_door` and `live_door` make routes.

Rule: every route of the product is made here.
Threats: cross-site requests (form token and Origin), cross-site sockets (Origin, before the socket is accepted),
guessing (what may not be seen answers exactly like what does not exist), old sessions (looked up at every request),
tokens of programs (they open the JSON API alone), bodies without end and people without measure (web/door/bounds.py).
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from domain.ids import ClientId, PersonId, ProjectId
from domain.language import ENGLISH, N_, speaking, spoken
from domain.language import gettext as _
from domain.people.devices import Device
from domain.people.person import Person, Role
from domain.people.sign_ins import Session
from domain.people.tokens import CHANGE, READ, SOURCE, Token
from projections.directory import Directory
from web.door import renewal
from web.door.bounds import LARGEST, Bounds, Kind, TooLarge, bounded
from web.door.cookies import no_cookie
from web.door.problem import at_json_door, problem
from web.door.refused import NOBODY, Reader, refused_page, to_a_person, with_headers_of
from web.door.templates import Pages
from web.door.way_on import way_in
from web.ids import FormToken, digest, form_token, same_form_token
from web.languages import accepted

Allowed = frozenset[Role] | Literal["anyone"]
ADMIN: frozenset[Role] = frozenset({"admin"})
STAFF: frozenset[Role] = frozenset({"admin", "manager"})
AUDIT: frozenset[Role] = frozenset({"admin", "auditor"})
OURS: frozenset[Role] = frozenset({"admin", "manager", "auditor"})
VIEWERS: frozenset[Role] = frozenset({"viewer"})
EVERYONE: frozenset[Role] = frozenset({"admin", "manager", "auditor", "viewer"})
NOT_FOUND = N_("There is nothing here, or nothing you may see.")
SAFE = ("GET", "HEAD")
LATER = 20  # seconds after which a device that asked too often for sessions may ask again
CLEARED = '"cache", "storage"'  # what a browser forgets at the end of a session
JSON = "/api/"  # what tokens open, and nothing else
ANY = "any"  # of a JSON route that does nothing, so that any token may ask it
SCOPED = (READ, CHANGE, SOURCE, ANY)
PASSKEYS = "/me/passkeys"  # where somebody goes who has to use a passkey first
UNPROVEN = (PASSKEYS, "/sign-out")  # and nowhere else
FORM = "application/x-www-form-urlencoded", "multipart/form-data"


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A person who is signed in, by a session or a bearer token."""

    person: Person
    session: Session | None  # None when a bearer token was used
    token: Token | None = None  # None when there is a session
    forms: FormToken | None = None  # what makes the token of their forms; None when there is no session
    at: ClientId | None = None  # the client whose page this is, where it is of one

    @property
    def csrf(self) -> str:
        """The token their forms must carry, the same in all of one answer; "" where no form is theirs."""
        return self.forms.text if self.forms is not None else ""

    @property
    def clients(self) -> tuple[ClientId, ...]:
        """Whose shares may be watched: of the clients the person is a viewer of, those this session opens."""
        opens = self.person.clients if self.session is None else self.session.clients
        return tuple(client for client in self.person.clients if client in opens)

    def for_client(self, client: ClientId) -> "Signed":
        """Return them as a page of one client has them: by what that client knows, and nothing of another."""
        return msgspec.structs.replace(self.named(client), at=client)

    def named(self, client: ClientId) -> "Signed":
        """Return them by the name and address that a client knows."""
        known = self.person.known_to(client)
        if known is None:
            return self
        person = msgspec.structs.replace(self.person, name=known.name, email=known.email)
        return msgspec.structs.replace(self, person=person)

    @property
    def leads(self) -> bool:
        """Whether they are a lead: of the client whose page this is, else of any that the session opens."""
        return any(self.person.leads(client) for client in self.clients if self.at in (None, client))


class Display(msgspec.Struct, frozen=True, kw_only=True):
    """A wall display: the person who made it, its session, and which share it shows."""

    person: Person
    session: Session
    device: Device


class Guard:
    """Looks up people by their cookie or token, at every request anew.

    `directory` returns who there is, `clock` the present instant (UTC). `refresh` takes in what other processes
    recorded, also beside a folder, where the operator's command line writes; None for none. `secure`: people reach the
    installation by https. `bounds`: what one request may bring, and one person ask for. `token_ends`: until when a
    token works. `active` takes the id of a session in which somebody does something, `spent` whose token was used for
    the first time on a day, with that token's id, in a thread. `pages` show what is refused.
    `organisation` returns what somebody reads as its name; it is called in a thread.
    """

    def __init__(
        self,
        directory: Callable[[], Directory],
        clock: Callable[[], datetime],
        origin: str,
        *,
        secure: bool,
        bounds: Bounds,
        pages: Pages,
        token_ends: Callable[[Token], datetime],
        active: Callable[[str], None],
        organisation: Callable[[Signed], str],
        spent: Callable[[PersonId, str], None],
        refresh: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._directory, self._clock = directory, clock
        self.refresh, self.bounds, self.active, self.pages = refresh, bounds, active, pages
        self._organisation = organisation
        self.token_ends, self.spent = token_ends, spent
        self.origin, self.secure = origin, secure
        self.cookies = renewal.cookies(secure=secure, display=False)
        self.display_cookies = renewal.cookies(secure=secure, display=True)
        self.cookie = self.cookies.session
        self.renew: renewal.Renew | None = None  # begins a session by the device that stays signed in

    def signed(self, connection: HTTPConnection, *, tokens: bool = False) -> Signed | None:
        """Return who is asking, None for nobody: by cookie; with `tokens` by bearer token where there is no cookie."""
        secret = renewal.secret(connection, self.cookies)
        if secret:
            return self._by_session(digest(secret))
        if not tokens:
            return None
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self._by_token(digest(token.strip()))
        return None

    async def identified(self, connection: HTTPConnection) -> Signed | None:
        """Return who is asking, also by a device that stays signed in: then a session begins within this request."""
        signed = self.signed(connection)
        if signed is not None or self.renew is None:
            return signed
        ways = {"secure": self.secure, "display": False}
        return self.signed(connection) if await renewal.renew(connection, self.renew, self.cookies, **ways) else None

    def display(self, connection: HTTPConnection) -> Display | None:
        """Return which wall display is asking, None for none."""
        secret = renewal.secret(connection, self.display_cookies)
        found = self._session(digest(secret)) if secret else None
        device = found[0].devices.kept.get(found[1].kept) if found is not None else None
        if found is None or device is None or not device.display:
            return None
        return Display(person=found[0], session=found[1], device=device)

    async def displayed(self, connection: HTTPConnection) -> Display | None:
        """Return which wall display is asking, also where its session has to begin within this request."""
        display = self.display(connection)
        if display is not None or self.renew is None:
            return display
        ways = {"secure": self.secure, "display": True}
        begun = await renewal.renew(connection, self.renew, self.display_cookies, **ways)
        return self.display(connection) if begun else None

    def _by_session(self, hashed: str) -> Signed | None:
        """Return who is signed in by a session; a wall display's signs nobody in."""
        found = self._session(hashed)
        if found is None:
            return None
        person, session = found
        device = person.devices.kept.get(session.kept)
        if device is not None and device.display:
            return None
        signed = Signed(person=person, session=session, forms=FormToken(device.first if device else session.hash))
        return signed.named(signed.clients[0]) if signed.clients else signed

    def _session(self, hashed: str) -> tuple[Person, Session] | None:
        directory = self._directory()
        key = directory.sessions.get(hashed)
        person = directory.people.get(key.person) if key else None
        session = person.sessions.get(key.id) if person and key else None
        if person is None or session is None or not person.comes_in or session.expires <= self._clock():
            return None
        if session.kept and session.kept not in person.devices.kept:
            return None  # its device has ended
        return person, session

    def _by_token(self, hashed: str) -> Signed | None:
        directory = self._directory()
        key = directory.tokens.get(hashed)
        person = directory.people.get(key.person) if key else None
        token = person.tokens.get(key.id) if person and key else None
        if person is None or token is None or not person.comes_in:
            return None
        return Signed(person=person, session=None, token=token) if self.token_ends(token) > self._clock() else None

    def unproven(self, signed: Signed) -> bool:
        """Return whether somebody has still to use a passkey, because the organisation asks that of its people."""
        if signed.session is None or signed.person.viewer or not self._directory().rules.passkeys_required:
            return False
        return not signed.person.keyring.vouches(signed.session)

    async def note_use(self, signed: Signed) -> None:
        """Have it recorded that a token was used, once a day (UTC)."""
        if signed.token is not None and signed.token.used != self._clock().date():
            await run_in_threadpool(self.spent, signed.person.id, signed.token.id)

    def same_origin(self, connection: HTTPConnection) -> bool:
        """Return whether the Origin header names this installation."""
        return connection.headers.get("origin") == self.origin

    async def form_is_ours(self, request: Request, signed: Signed | None) -> bool:
        """Return whether a changing request came from a form of ours; one with a bearer token needs no form."""
        if signed is not None and signed.session is None:
            return True
        origin = request.headers.get("origin")
        if origin is not None and origin != self.origin:
            return False
        if signed is None:
            return origin == self.origin
        sent = request.headers.get("x-fanlight-form")
        if sent is None and request.headers.get("content-type", "").startswith(FORM):
            value = (await request.form()).get("csrf")
            sent = value if isinstance(value, str) else None
        return sent is not None and any(same_form_token(sent, token) for token in _form_tokens(signed))

    async def shown(self, request: Request, answer: Response) -> Response:
        """Return a refusal as a page of the product where a person reads it; any other answer as it is."""
        return renewal.told(request, await self._as_page(request, answer))

    async def _as_page(self, request: Request, answer: Response) -> Response:
        if not to_a_person(request, answer):
            return answer
        signed = self.signed(request)
        reader = await self._reader(signed, answer) if signed else NOBODY
        page = self.pages.answer(request, refused_page(request, answer, reader), answer.status_code)
        return with_headers_of(answer, page)

    async def _reader(self, signed: Signed, answer: Response) -> Reader:
        """Return who reads a refusal; of a viewer nothing is looked up when the record may be out of reach."""
        asked = answer.status_code < 500 or signed.person.role != "viewer"
        organisation = await run_in_threadpool(self._organisation, signed) if asked else ""
        return Reader(name=signed.person.name, csrf=signed.csrf, organisation=organisation)


def _form_tokens(signed: Signed) -> list[str]:
    """Return the tokens a form may carry: of a session whose device was kept meanwhile, the one from before as well."""
    return [signed.csrf, *([form_token(signed.session.hash)] if signed.session is not None else [])]


Endpoint = Callable[[Request, Signed], Awaitable[Response]]
Speaks = Callable[[Request, Signed], Awaitable[str]]
OpenEndpoint = Callable[[Request], Awaitable[Response]]
LiveEndpoint = Callable[[WebSocket, Signed | None], Awaitable[None]]
DisplayEndpoint = Callable[[Request, Display], Awaitable[Response]]
LiveDisplayEndpoint = Callable[[WebSocket, Display | None], Awaitable[None]]


def not_found() -> Response:
    """Return the answer for what does not exist, which is also the one for what may not be seen."""
    return PlainTextResponse(_(NOT_FOUND) + "\n", status_code=404)


def hidden(request: Request) -> Response:
    """Return `not_found` as the door has it that was asked."""
    return problem(404, _("Not found"), _(NOT_FOUND)) if at_json_door(request) else not_found()


def _not_ours(request: Request) -> Response:
    """Return that a form did not come from a page of ours, or from an older one."""
    text = _("This form is out of date. Reload the page and send it again.\n")
    return problem(403, _("Not allowed"), text.strip()) if at_json_door(request) else PlainTextResponse(text, 403)


def _sign_in_first(request: Request) -> Response:
    if at_json_door(request):
        return problem(401, _("Not signed in"), _("Send a bearer token in the Authorization header."))
    if request.headers.get("hx-request"):
        return PlainTextResponse(
            _("You were signed out. Reload to sign in.\n"), 401, headers={"HX-Redirect": "/sign-in"}
        )
    guard: Guard = request.app.state.guard
    if guard.cookie in request.cookies:  # of a session that ended meanwhile
        return signed_out(guard, way_in(request), device=False)
    return RedirectResponse(way_in(request), status_code=303)


def _passkey_first(request: Request) -> Response:
    """Return the way to the page of passkeys, for whoever goes nowhere else before they have used one."""
    text = _("Use a passkey first: your organisation asks that of its people. Open /me/passkeys.")
    if at_json_door(request):
        return problem(403, _("Passkey needed"), text)
    if request.headers.get("hx-request"):
        return PlainTextResponse(f"{text}\n", 403, headers={"HX-Redirect": PASSKEYS})
    return RedirectResponse(PASSKEYS, 303)


def _not_covered(scope: str) -> Response:
    text = _("This token does not cover {scope}. Make one that does, at /me.", scope=scope)
    return problem(403, _("Not covered"), text)


def signed_out(guard: Guard, to: str = "/sign-in", *, device: bool = True) -> Response:
    """Return the way to the sign-in page at `to`, for a browser that forgets what it was shown.

    Its cookies are not cleared by that header, for it means those of all sites of the domain; ours are by name, and
    that of a device that stays signed in with `device`.
    """
    response = RedirectResponse(to, 303, headers={"clear-site-data": CLEARED})
    for name in (guard.cookies.session, *([guard.cookies.device] if device else [])):
        response.raw_headers.append(no_cookie(name, secure=guard.secure))
    return response


def _of_others(request: Request, signed: Signed) -> bool:
    """Return whether the address names a project that this person does not manage."""
    project = request.path_params.get("project")
    return project is not None and not signed.person.manages(ProjectId(project))


def door(
    path: str,
    endpoint: Endpoint,
    *,
    allow: frozenset[Role],
    methods: Iterable[str] = ("GET",),
    name: str | None = None,
    kind: Kind = "page",
    scope: str = "",
    speaks: Speaks | None = None,
) -> Route:
    """Return a route for people of the roles `allow`.

    A path below a project names it as `{project}`; whoever does not manage that project gets `not_found`. `kind`: what
    it takes and costs, web/door/bounds.py. `scope`: what a token has to cover, of each route that tokens open. `speaks`
    returns the language of what is asked for, where it has one of its own; everything else is said in that of whoever
    asks.
    """
    if path.startswith(JSON) != (scope in SCOPED):
        message = (
            f"{path} opens to tokens of the scope {scope!r}; expected one of {SCOPED} below {JSON}, none elsewhere"
        )
        raise ValueError(message)

    async def answered(request: Request) -> Response:
        guard: Guard = request.app.state.guard
        if guard.refresh is not None:
            await guard.refresh()
        programs = path.startswith(JSON)
        signed = guard.signed(request, tokens=True) if programs else await guard.identified(request)
        if signed is None:
            return _too_often(request, LATER) if renewal.asked_too_often(request) else _sign_in_first(request)
        if signed.person.role not in allow or _of_others(request, signed):
            return hidden(request)
        about = request.path_params.get(scope, "")
        if signed.token is not None and scope != ANY and not signed.token.covers(scope, about):
            return _not_covered(scope)
        if not path.startswith(UNPROVEN) and guard.unproven(signed):
            return _passkey_first(request)
        await guard.note_use(signed)
        try:
            with speaking(await speaks(request, signed) if speaks is not None else spoken()):
                answer = await _asked(endpoint, bounded(request, guard.bounds.largest(kind)), signed, kind)
        except TooLarge:
            return _too_large(request, guard.bounds.largest(kind))
        if signed.person.role == "viewer" and request.method in SAFE:
            return await _still_theirs(guard, request, signed) or answer
        return answer

    async def guarded(request: Request) -> Response:
        with speaking(_language(request)):
            return await _shown(request, await answered(request))

    guarded.guarded, guarded.kind, guarded.scope = allow, kind, scope  # type: ignore[attr-defined]
    return Route(path, guarded, methods=list(methods), name=name or endpoint.__name__)


def _language(request: Request) -> str:
    """Return the language (BCP 47) of whoever asks: as they chose, else as their browser asks for.

    Programs are answered in English, as their documents are.
    """
    if at_json_door(request):
        return ENGLISH
    guard: Guard = request.app.state.guard
    signed = guard.signed(request)
    chosen = signed.person.language if signed is not None else ""
    return chosen or accepted(request.headers.get("accept-language", ""))


async def _shown(request: Request, answer: Response) -> Response:
    guard: Guard = request.app.state.guard
    return await guard.shown(request, answer)


async def _asked(endpoint: Endpoint, request: Request, signed: Signed, kind: Kind) -> Response:
    """Return what an endpoint answers to somebody who may ask it, if they sent a form of ours and did not ask too much.

    Raises: TooLarge.
    """
    guard: Guard = request.app.state.guard
    if signed.session is not None and kind != "polled":
        guard.active(signed.session.id)
    changes = request.method not in SAFE
    if changes and not await guard.form_is_ours(request, signed):
        return _not_ours(request)
    seconds = guard.bounds.wait(signed.person.id, kind, changes=changes)
    return _too_often(request, seconds) if seconds else await endpoint(request, signed)


def _too_often(request: Request, seconds: int) -> Response:
    text = _(
        "You asked for more than is done for one person in a minute. Try again in {seconds} seconds.", seconds=seconds
    )
    if at_json_door(request):
        answer = problem(429, _("Too often"), text)
    else:
        answer = PlainTextResponse(f"{text}\n", 429, headers={"cache-control": "no-store"})
    answer.headers["retry-after"] = str(seconds)
    return answer


def _too_large(request: Request, most: int) -> Response:
    if at_json_door(request):
        text = _("A command has at most {most} bytes; split a larger change.", most=most)
        return problem(413, _("Too large"), text)
    text = _("What was sent is larger than {most} MiB, the most that is taken here.", most=most >> 20)
    if most > LARGEST:  # a file
        text = _(
            "What was sent is larger than {most} MiB, the most that is taken here. Send less, or have the setting "
            "max_upload_mb raised.",
            most=(most - LARGEST) >> 20,
        )
    return PlainTextResponse(f"{text}\n", 413, headers={"cache-control": "no-store"})


async def _still_theirs(guard: Guard, request: Request, signed: Signed) -> Response | None:
    """Return what to answer instead when rights have ended meanwhile: what was read may be newer than their end."""
    if guard.refresh is not None:
        await guard.refresh()
    now = guard.signed(request, tokens=at_json_door(request))
    if now is None:
        return _sign_in_first(request)
    return None if set(signed.clients) <= set(now.clients) else RedirectResponse(str(request.url), status_code=303)


def open_door(
    path: str,
    endpoint: OpenEndpoint,
    *,
    methods: Iterable[str] = ("GET",),
    name: str | None = None,
    refresh: bool = False,
    keyed: bool = False,
) -> Route:
    """Return a route that anyone may use; a changing request still has to come from our own pages.

    `refresh`: take in what other processes recorded first. `keyed`: a secret in the address is authority enough, so
    that a mail provider can post there without a page of ours (RFC 8058); such a route signs nobody in.
    """

    async def answered(request: Request) -> Response:
        guard: Guard = request.app.state.guard
        if refresh and guard.refresh is not None:
            await guard.refresh()
        if request.method not in SAFE and not keyed and not await guard.form_is_ours(request, None):
            return _not_ours(request)
        most = guard.bounds.largest("page")
        try:
            return await endpoint(bounded(request, most))
        except TooLarge:
            return _too_large(request, most)

    async def guarded(request: Request) -> Response:
        with speaking(_language(request)):
            return await _shown(request, await answered(request))

    guarded.guarded = "anyone"  # type: ignore[attr-defined]
    return Route(path, guarded, methods=list(methods), name=name or endpoint.__name__)


def live_door(path: str, endpoint: LiveEndpoint) -> WebSocketRoute:
    """Return a route for sockets: a foreign Origin is refused before accept; the endpoint checks all rights itself."""

    async def guarded(websocket: WebSocket) -> None:
        guard: Guard = websocket.app.state.guard
        if not guard.same_origin(websocket):
            await websocket.close(1008)
            return
        if guard.refresh is not None:  # a session may have begun, or ended, in another process a moment ago
            await guard.refresh()
        await endpoint(websocket, guard.signed(websocket))

    guarded.guarded = "origin"  # type: ignore[attr-defined]
    return WebSocketRoute(path, guarded, name=endpoint.__name__)


def display_door(path: str, endpoint: DisplayEndpoint, *, methods: Iterable[str] = ("GET",), name: str) -> Route:
    """Return a route for wall displays alone; everybody else gets the endpoint of who is not there: `not_found`."""

    async def answered(request: Request) -> Response:
        guard: Guard = request.app.state.guard
        if guard.refresh is not None:
            await guard.refresh()
        display = await guard.displayed(request)
        if display is None:
            return _too_often(request, LATER) if renewal.asked_too_often(request) else _no_display(request)
        if request.method not in SAFE and not guard.same_origin(request):
            return _not_ours(request)
        answer = await endpoint(bounded(request, guard.bounds.largest("page")), display)
        if guard.refresh is not None:
            await guard.refresh()
        return answer if guard.display(request) is not None else _no_display(request)  # what was read may be newer

    async def guarded(request: Request) -> Response:
        return await _shown(request, await answered(request))

    guarded.guarded = "display"  # type: ignore[attr-defined]
    return Route(path, guarded, methods=list(methods), name=name)


def _no_display(request: Request) -> Response:
    """Return the way to the page on which a screen becomes a wall display; for scripts, that it is none."""
    if request.method in SAFE and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/wall/begin", 303)
    return PlainTextResponse(_("This screen is no wall display, or no more.") + "\n", 401)


def live_display_door(path: str, endpoint: LiveDisplayEndpoint, *, name: str) -> WebSocketRoute:
    """Return a route for the sockets of wall displays: a foreign Origin is refused before accept."""

    async def guarded(websocket: WebSocket) -> None:
        guard: Guard = websocket.app.state.guard
        if not guard.same_origin(websocket):
            await websocket.close(1008)
            return
        if guard.refresh is not None:
            await guard.refresh()
        await endpoint(websocket, guard.display(websocket))

    guarded.guarded = "origin"  # type: ignore[attr-defined]
    return WebSocketRoute(path, guarded, name=name)
