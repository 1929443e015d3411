"""Records that staff or auditors look at the record, in the ledger, before they are answered."""

from projections.logs.ledger import Statement
from web.door.guard import Signed
from web.process.services import Services


def consulted(services: Services, signed: Signed, subject: str, text: str) -> int:
    """Record what somebody of the organisation asks of the record, and return its place in the ledger.

    `subject` is a share, a project or "". For threads.

    Raises: what keeps it from being recorded; then there is no answer.
    """
    asked = Statement(kind="consulted", at=services.now(), who=signed.person.id, subject=subject, text=text)
    return services.logs.ledger.append(asked)
