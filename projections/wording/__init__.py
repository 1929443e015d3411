"""Dates, money and spans of time in words. Pure."""
