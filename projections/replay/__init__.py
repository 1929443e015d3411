"""The record read back: any update’s page, and what was ever told."""
