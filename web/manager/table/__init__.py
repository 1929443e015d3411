"""Milestones and risks edited as a table: what was typed becomes one command, or comes back cell by cell."""
