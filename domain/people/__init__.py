"""Who there is: people, clients, what lets them in, and what they are mailed."""
