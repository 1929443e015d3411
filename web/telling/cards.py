"""Messages as Microsoft Teams and Slack take them: pure, and inert whatever a title says.

Rule: what people typed stands where neither product reads markup: in the text runs of an Adaptive Card (RichTextBlock;
a TextBlock would read Markdown), and in `plain_text` objects of Block Kit. The one text of Slack that is read, which
stands in notifications, is escaped. The only addresses are ours. Sizes stay within what both document:
28 KB a message of a Teams webhook; 50 blocks, 150 characters of a header and 3,000 of a text for Slack.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from domain.language import gettext as _
from domain.telling.channels import Form
from projections.wording.phrases import listed

Block = Mapping[str, Any]
MOST = 12  # lines of one message; both limits hold with that
TITLE, SAID = 120, 400  # characters of a title, and of what a line says
TEAMS, SLACK = 28 * 1024, 3000  # bytes of a Teams message; characters of the text in notifications of Slack


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a message."""

    kind: str  # "Concern"
    said: str  # what the line says, "" where the channel may not see it
    href: str  # where it is dealt with


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a message says."""

    project: str
    items: Sequence[Item]  # none: it tries the channel
    more: int  # lines that are not in it
    home: str  # the address of the list *For you*


def written(form: Form, message: Message) -> bytes:
    """Return a message as the other end takes it, JSON in UTF-8."""
    body = _teams(message) if form == "teams" else _slack(message)
    return msgspec.json.encode(body, order="deterministic")


def lead(message: Message) -> str:
    """Return the first line of a message: the project, and what it is about."""
    project = _cut(message.project, TITLE)
    if not message.items:
        return _("{project}: this is a test. What needs somebody is told here.", project=project)
    kinds = list(dict.fromkeys(item.kind for item in message.items))
    return _("{project}: {kinds}", project=project, kinds=listed(kinds))


def _rest(message: Message) -> str:
    return _("{n} more in the list.", n=message.more) if message.more else ""


# Teams: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using


def _teams(message: Message) -> dict[str, Any]:
    body: list[Block] = [_runs([{"type": "TextRun", "text": lead(message), "weight": "bolder", "size": "medium"}])]
    for item in message.items[:MOST]:
        opens = {"type": "Action.OpenUrl", "url": item.href}
        runs = [{"type": "TextRun", "text": item.kind, "weight": "bolder", "selectAction": opens}]
        if item.said:
            runs.append({"type": "TextRun", "text": f"  {_cut(item.said, SAID)}"})
        body.append(_runs(runs))
    if rest := _rest(message):
        body.append(_runs([{"type": "TextRun", "text": rest, "isSubtle": True}]))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": _("Open the list"), "url": message.home}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _runs(runs: Sequence[Block]) -> Block:
    return {"type": "RichTextBlock", "inlines": runs}


# Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks


def _slack(message: Message) -> dict[str, Any]:
    blocks: list[Block] = [{"type": "header", "text": _plain(_cut(lead(message), 150))}]
    for item in message.items[:MOST]:
        text = _("{kind}: {said}", kind=item.kind, said=_cut(item.said, SAID)) if item.said else item.kind
        blocks.append({"type": "section", "text": _plain(text)})
        blocks.append({"type": "context", "elements": [_link(item.href, _("Open"))]})
    if rest := _rest(message):
        blocks.append({"type": "section", "text": _plain(rest)})
    blocks.append({"type": "context", "elements": [_link(message.home, _("Open the list"))]})
    return {"text": _escaped(_cut(lead(message), SLACK // 6)), "blocks": blocks, "unfurl_links": False}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _link(href: str, text: str) -> Block:
    return {"type": "mrkdwn", "text": f"<{href}|{_escaped(text)}>", "verbatim": True}


def _escaped(text: str) -> str:
    """Return a text that Slack shows as it is: no mention, no link (its three characters), no format of its own."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([*_~`])", "\\1\u200b", safe)


def _cut(text: str, most: int) -> str:
    """Return a text as one line of at most so many characters, without what cannot be seen."""
    line = "".join(c for c in " ".join(text.split()) if c.isprintable())
    return line if len(line) <= most else f"{line[: most - 1]}…"
