"""A view as markup: pure, deterministic, inert."""
