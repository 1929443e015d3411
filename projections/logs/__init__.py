"""The disclosure log, the ledger of the operator's acts, and the vault whose keys seal and erase their content."""
