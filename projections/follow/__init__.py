"""From events to entries: each share’s next update, recorded once."""
