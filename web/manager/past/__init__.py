"""The past of a project from older plans: looked at first, then added in one command that leaves the present alone."""
