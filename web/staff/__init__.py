"""The frame around every page of the organisation’s own people."""
