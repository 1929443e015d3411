"""The workspace of a project: its plan, its shares, what waits."""
