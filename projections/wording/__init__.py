"""How dates, money and spans of time are said. Pure."""
