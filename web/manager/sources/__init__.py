"""The sources of a project: attached, looked at, decided on; and the doors by which plans and hints come in.

Rule: a secret is typed here and never shown: not on a page, not in a refusal, not in an address.
"""
