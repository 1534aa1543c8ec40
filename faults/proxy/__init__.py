"""A TCP proxy that misbehaves on request, with Toxiproxy's HTTP API. Runs as ``python -m faults.proxy``."""
