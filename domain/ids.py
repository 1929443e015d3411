"""Distinct id types. Ids are opaque: nobody may read order, count or time out of one."""

from typing import NewType

ProjectId = NewType("ProjectId", str)
ShareId = NewType("ShareId", str)
ClientId = NewType("ClientId", str)
PersonId = NewType("PersonId", str)
MilestoneId = NewType("MilestoneId", str)
RiskId = NewType("RiskId", str)
CommandId = NewType("CommandId", str)
