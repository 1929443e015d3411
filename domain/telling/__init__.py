"""Who of ours is told of what needs them: by mail as each person chose, and by messages to channels of a project."""
