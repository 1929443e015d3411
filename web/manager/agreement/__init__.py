"""What each client sees: the agreement, its editor, its preview and its consequence."""
