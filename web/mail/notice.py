"""A mail to one of our own people about lines of their list *For you*, as a text and as HTML of the same values."""

from collections.abc import Iterator, Sequence

import msgspec

from domain.language import gettext as _
from web.mail.letters import Envelope, MailHtml, dress, message


class NoticeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list."""

    text: str
    quoted: str  # what the client said in their own words, "" where that is nothing
    note: str  # whose line it was before, or who is away; "" for neither
    href: str


class NoticeGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one project."""

    project: str
    lines: Sequence[NoticeLine]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that such a mail says."""

    organisation: str
    name: str
    groups: Sequence[NoticeGroup]
    more: int  # lines that are not in it
    home: str  # the address of the list
    settings: str

    @property
    def many(self) -> int:
        """How many lines it is about."""
        return sum(len(group.lines) for group in self.groups) + self.more


class NoticeHtml(MailHtml, frozen=True, kw_only=True):
    """The HTML of a notice."""

    template = "mail/notice.html"
    notice: Notice


def letter(envelope: Envelope, content: Notice) -> bytes:
    """Return a notice as a mail."""
    return message(
        envelope,
        _subject(content),
        "\n".join(_lines(content)),
        NoticeHtml(notice=content, **dress(envelope, content.organisation)),
    )


def _subject(content: Notice) -> str:
    first = content.groups[0]
    if content.many == 1:
        return _("{project}: {line}", project=first.project, line=first.lines[0].text)
    if len(content.groups) == 1:
        return _("{project}: {many} things wait for you", project=first.project, many=content.many)
    return _("{many} things wait for you", many=content.many)


def _lines(content: Notice) -> Iterator[str]:
    """Yield the lines of the plain text."""
    yield from (f"{content.name},", "", _("this waits for you at {organisation}:", organisation=content.organisation))
    for group in content.groups:
        yield from ("", group.project, "-" * len(group.project))
        for line in group.lines:
            yield f"* {' '.join(filter(None, (line.text, line.note)))}"
            if line.quoted:
                yield _("  “{quoted}”", quoted=line.quoted)
            yield f"  {line.href}"
    yield ""
    if content.more:
        yield _("{n} more in your list.", n=content.more)
    yield _("Your whole list: {home}", home=content.home)
    yield _("What you get by email, and when: {settings}", settings=content.settings)
