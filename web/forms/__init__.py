"""A form is a command: fields, and the command they make. Pure."""
