"""The manager’s pages, and the routes below them."""
