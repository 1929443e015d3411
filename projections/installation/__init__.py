"""The storage of an installation, a folder or a database, and the lease of the process that follows its events."""
