"""docker-compose.yml on a real engine, as a stranger deploys it: `make test-compose`, and no part of `make test`.

Rule: nothing is fetched from a registry, and nothing on this machine is touched: the engine, its network and its images are
made for one run and are gone after it. The images stand in for the official ones and keep their rules.
"""
