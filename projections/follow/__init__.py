"""The follower: makes each share's entries from the events and records each of them once."""
