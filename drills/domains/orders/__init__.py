"""Orders and executions, held against the exchange's book."""
