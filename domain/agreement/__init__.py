"""Share agreements with clients: their terms, versions and end, and the comments and concerns of both sides."""
