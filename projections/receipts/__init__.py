"""Claims of open pages about what they received and displayed, recorded in batches."""
