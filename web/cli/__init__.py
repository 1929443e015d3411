"""The command line: `fanlight`. Nothing else imports it."""
