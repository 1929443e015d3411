"""The pages of auditors: events, shares, replay, ledger, a file looked up."""
