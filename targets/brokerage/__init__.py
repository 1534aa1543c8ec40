"""The mini-brokerage: the system under drill that ships with kunren."""
