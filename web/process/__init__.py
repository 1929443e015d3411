"""One server process: builds its services, runs its threads and tasks, and ends them."""
