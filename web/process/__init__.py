"""One server process: its services, built, run and ended."""
