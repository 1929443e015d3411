"""The demo: a sample portfolio with invented people and a year of changes. Served on loopback only."""
