"""Plans in comma-separated files, whatever their dialect."""
