"""Plans in Microsoft Project’s XML."""
