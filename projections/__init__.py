"""What is recorded and what was shown: the logs, the entries made from events, and their proofs.

Rule: knows `domain` and never `web`; what is read for a client's pages cannot reach a project.
"""
