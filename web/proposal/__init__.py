"""A plan compared with a project: the changes that would make them agree."""
