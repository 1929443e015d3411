"""What is agreed with a client: shares, terms, and what both sides said of them. Pure."""
