"""Where a plan comes from by itself: files that scripts send, folders, and the tools projects are planned in."""
