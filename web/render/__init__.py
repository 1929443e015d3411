"""A view as markup: deterministic and inert."""
