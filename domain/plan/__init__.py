"""A project as its organisation knows it: plan, milestones, budget, risks and health.

Rule: nothing on a client's path reaches this package.
"""
