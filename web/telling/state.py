"""What became of messages to channels, in words for pages."""

from domain.language import N_
from domain.language import gettext as _
from domain.telling.channels import Channel, Form, Posted
from projections.wording import words

PRODUCT: dict[Form, str] = {"teams": N_("Microsoft Teams"), "slack": N_("Slack")}


def state(channel: Channel, posted: Posted, zone: str) -> str:
    """Return what became of a message, with the other end's own words and times in `zone`."""
    product = _(PRODUCT[channel.form])
    queued, settled = words.moment_year(posted.at, zone), words.moment_year(posted.settled or posted.at, zone)
    what = _("Test") if posted.trial else _("Message")
    told = f": {posted.told}" if posted.told else ""
    match posted.state:
        case "accepted":
            return _(
                "{what} accepted by {product}, {settled}{told}", what=what, product=product, settled=settled, told=told
            )
        case "refused":
            return _(
                "{what} not taken by {product}, {settled}{told}", what=what, product=product, settled=settled, told=told
            )
        case "deferred":
            return _(
                "{what} put off by {product}, {settled}{told}. It is tried again",
                what=what, product=product, settled=settled, told=told,
            )  # fmt: skip
        case "dropped":
            return _("{what} not sent, {settled}: there was no more reason to", what=what, settled=settled)
        case "queued":
            return _("{what} queued, {queued}. No answer is on record; it may have gone out", what=what, queued=queued)
