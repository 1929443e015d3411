"""Where the logs lie, folder or database, and which process follows them."""
