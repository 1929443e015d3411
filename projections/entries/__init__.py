"""One update of a share: its content, the bytes recorded, the message sent, the changes in words. Pure."""
