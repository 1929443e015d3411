"""A plan compared with a project: the changes that would make the project agree with it."""
