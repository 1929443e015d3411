"""One module for each tool that is asked for a plan, behind the protocol of `tool`."""
