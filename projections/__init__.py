"""What was shown. Only `store` and `follow` do I/O; nothing on a client's path can reach the project."""
