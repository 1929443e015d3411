"""Risk registers and budget figures in tables, read like plans: by columns that are guessed, chosen and saved."""
