"""Files from planning tools, read as plans: the format is found from the content; projects are not known here."""

from web.importers.plan import BrokenFile, Plan, PlannedCosts, PlannedMilestone, Problem
from web.importers.reading import read
from web.importers.table.mapping import Mapping

__all__ = ["BrokenFile", "Mapping", "Plan", "PlannedCosts", "PlannedMilestone", "Problem", "read"]
