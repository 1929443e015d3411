"""From a recorded entry to every open dashboard."""
