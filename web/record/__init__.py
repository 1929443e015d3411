"""The record as pages of ours read it: instants, facts, receipts, holds, events."""
