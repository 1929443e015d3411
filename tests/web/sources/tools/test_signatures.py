"""Webhooks: only what is signed with the secret of the source is a hint, however the tool signs."""

import base64
import hashlib
import hmac
import json

import pytest

from web.sources.tools.registry import TOOLS
from web.sources.tools.tool import Attached

pytestmark = pytest.mark.once

BODY = b'{"action": "edited", "n": "\xc3\xa4"}'
WHSEC = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def sha(secret: str, kind: str = "sha256", body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), body, kind).hexdigest()


def standard(body: bytes = BODY) -> dict[str, str]:
    """As Standard Webhooks 1.0 signs."""
    key = base64.b64decode(WHSEC.removeprefix("whsec_"))
    told = b"msg_1.1805000000." + body
    signed = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": "1805000000", "webhook-signature": f"v1,{signed}"}


SIGNED = [
    ("github", "h00k", {"X-Hub-Signature-256": "sha256=" + sha("h00k")}),
    ("jira", "h00k", {"X-Hub-Signature": "sha256=" + sha("h00k")}),
    ("openproject", "h00k", {"X-OP-Signature": "sha1=" + sha("h00k", "sha1")}),
    ("smartsheet", "h00k", {"Smartsheet-Hmac-SHA256": sha("h00k")}),
    ("gitlab", "h00k", {"X-Gitlab-Token": "h00k"}),
    ("gitlab", WHSEC, standard()),
]


def signed(tool: str, secret: str, headers: dict[str, str], body: bytes = BODY) -> bool:
    given = Attached(address="https://x.example", values={}, hook_secret=secret)
    return TOOLS[tool].is_signed(given, headers, body)


@pytest.mark.parametrize(("tool", "secret", "headers"), SIGNED)
def test_what_the_tool_signed_is_known(tool: str, secret: str, headers: dict[str, str]) -> None:
    assert signed(tool, secret, headers)
    assert signed(tool, secret, {name.lower(): value for name, value in headers.items()})


@pytest.mark.parametrize(("tool", "secret", "headers"), SIGNED)
def test_what_it_did_not_sign_is_not(tool: str, secret: str, headers: dict[str, str]) -> None:
    assert not signed(tool, secret, {})
    assert not signed(tool, "another", headers)
    assert not signed(tool, "", headers)
    assert not signed(tool, "", dict.fromkeys(headers, ""))
    for name, value in headers.items():
        for odd in ("", value[:-1], value + "0", "sha256=", "ä", value.upper() + " "):
            assert not signed(tool, secret, headers | {name: odd}), (name, odd)
    if list(headers) != ["X-Gitlab-Token"]:  # which signs nothing
        assert not signed(tool, secret, headers, BODY + b" ")


def test_one_of_several_signatures_is_enough() -> None:
    headers = standard()
    headers["webhook-signature"] = "v1,AAAA v1a,xx " + headers["webhook-signature"]
    assert signed("gitlab", WHSEC, headers)
    assert not signed("gitlab", "whsec_§§", headers)


def test_smartsheet_asks_first_whether_anybody_is_there() -> None:
    tool = TOOLS["smartsheet"]
    body = json.dumps({"challenge": "d78d-9a", "webhookId": 1}).encode()
    assert tool.greeting({"Smartsheet-Hook-Challenge": "d78d-9a"}, body) == {"Smartsheet-Hook-Response": "d78d-9a"}
    for challenge, sent in (
        ("other", body),
        ("d78d-9a", b"{"),
        ("d78d-9a", b"[]"),
        ("", body),
        ("", b'{"challenge":""}'),
    ):
        assert tool.greeting({"Smartsheet-Hook-Challenge": challenge}, sent) == {}
    split = json.dumps({"challenge": "a\r\nSet-Cookie: x"}).encode()
    assert tool.greeting({"Smartsheet-Hook-Challenge": "a\r\nSet-Cookie: x"}, split) == {}
    assert all(
        TOOLS[name].greeting({"Smartsheet-Hook-Challenge": "d78d-9a"}, body) == {}
        for name in TOOLS
        if name != "smartsheet"
    )
