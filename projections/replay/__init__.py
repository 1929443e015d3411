"""The record read back: the page of any update, and every fact a share ever showed."""
