"""Who may come in: colleagues, clients, viewers, and what they are mailed."""
