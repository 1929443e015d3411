"""The product's push beside other push servers: one load client, one limit, one run, one table.

Rule: a peer runs as its users run it, from the packages of Debian; what is not installed is skipped loudly.
"""
