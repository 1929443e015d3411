"""A plan uploaded, proposed as changes, accepted."""
