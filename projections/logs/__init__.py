"""What was shown, sealed and kept: the disclosure log, the ledger, keys."""
