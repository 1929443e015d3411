"""Plans in the files of other tools turned into Microsoft Project's XML, by mpxj and a Java runtime.

Rule: Java runs in a process of its own, one for each file, with so much memory, time and room, and never where pages
are served; what it wrote is read like any file from a stranger.
"""

from web.converter.bounds import Allowance, Converted, bounds_of, missing
from web.converter.choosing import Converter, converter

__all__ = ["Allowance", "Converted", "Converter", "bounds_of", "converter", "missing"]
