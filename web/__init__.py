"""The outside: HTTP doors, sockets, mails, files and clocks. `app` puts everything together and holds no logic."""
