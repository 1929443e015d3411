"""The frame around the pages of auditors."""

from collections.abc import Sequence
from typing import Literal

from web.staff.frame import StaffPage

Options = Sequence[tuple[str, str]]  # of a choice: key and word


class AuditPage(StaffPage, frozen=True, kw_only=True):
    """A page under one of the headings of the audit."""

    here: Literal["events", "shares", "replay", "ledger", "file"]
