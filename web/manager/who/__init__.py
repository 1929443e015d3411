"""Who knows a fact, since when, and how it reached them."""
