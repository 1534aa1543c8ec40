"""The embedded Toxiproxy-compatible proxy."""
