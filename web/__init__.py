"""The server: pages, push, mail, importers, the command line and the processes. `app` and `process` put it together."""
