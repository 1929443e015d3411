"""A client’s pages, made of disclosed bytes alone."""
