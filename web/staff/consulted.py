"""Every look of staff and auditors at the record is a line of the ledger, written before the answer."""

from projections.logs.ledger import Statement
from web.door.guard import Signed
from web.process.services import Services


def consulted(services: Services, signed: Signed, subject: str, text: str) -> int:
    """Record what one of ours asks of the record, before the answer, and return its place in the ledger.

    `subject` is a share, a project or "". For threads. Raises: whatever keeps it from being recorded, and then there
    is no answer.
    """
    asked = Statement(kind="consulted", at=services.now(), who=signed.person.id, subject=subject, text=text)
    return services.logs.ledger.append(asked)
