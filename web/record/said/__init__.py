"""What happened to a project in sentences: of what, what became of it, and what it was before."""
