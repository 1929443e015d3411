"""The outside: doors, sockets, files and clocks. `app` wires everything and holds no logic."""
