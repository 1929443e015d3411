"""The sample portfolio, its cast and its story. Loopback only."""
