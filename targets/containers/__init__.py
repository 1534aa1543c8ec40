"""The mini-brokerage as containers."""
