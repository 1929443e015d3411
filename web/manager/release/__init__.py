"""What waits for review is let go, or was."""
