"""Files from planning tools as neutral plans: the content tells the format, and nothing here knows the project."""

from web.importers.csv.mapping import Mapping
from web.importers.plan import BrokenFile, Plan, PlannedCosts, PlannedMilestone, Problem
from web.importers.reading import read

__all__ = ["BrokenFile", "Mapping", "Plan", "PlannedCosts", "PlannedMilestone", "Problem", "read"]
