"""The types of ids.

Rule: ids are opaque; no order, count or time can be read from one.
"""

from typing import NewType

ProjectId = NewType("ProjectId", str)
ShareId = NewType("ShareId", str)
ClientId = NewType("ClientId", str)
PersonId = NewType("PersonId", str)
MilestoneId = NewType("MilestoneId", str)
RiskId = NewType("RiskId", str)
CommandId = NewType("CommandId", str)
ChannelId = NewType("ChannelId", str)
SourceId = NewType("SourceId", str)
