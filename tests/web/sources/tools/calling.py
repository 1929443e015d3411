"""The webhooks of tools: what each calls with, signed as its documents say.

After "Validating webhook deliveries" (GitHub), "Webhooks" (GitLab: X-Gitlab-Token), "Webhooks" (Jira: X-Hub-Signature),
"Webhooks" (OpenProject: X-OP-Signature) and "Authenticating callbacks" (Smartsheet-Hmac-SHA256).
"""

import hashlib
import hmac
import json
import urllib.request

BODY = json.dumps({"action": "edited", "text": "ä"}).encode()


def _signed(secret: str, kind: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, kind).hexdigest()


def headers(tool: str, secret: str, body: bytes = BODY) -> dict[str, str]:
    """Return the header with which a tool signs a call."""
    sha256 = _signed(secret, hashlib.sha256().name, body)
    return {
        "github": {"X-Hub-Signature-256": f"sha256={sha256}"},
        "gitlab": {"X-Gitlab-Token": secret},
        "jira": {"X-Hub-Signature": f"sha256={sha256}"},
        "openproject": {"X-OP-Signature": f"sha1={_signed(secret, hashlib.sha1().name, body)}"},  # its own
        "smartsheet": {"Smartsheet-Hmac-SHA256": sha256},
    }[tool]


def call(tool: str, address: str, secret: str) -> int:
    """Call an address of a webhook as a tool does, and return the status of the answer."""
    request = urllib.request.Request(address, BODY, {"content-type": "application/json", **headers(tool, secret)})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return int(answer.status)
