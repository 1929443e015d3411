"""A project as its organisation knows it. Nothing on a client’s path can reach this package."""
