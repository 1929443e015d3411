"""One update of a share, as data and as bytes. Pure."""
