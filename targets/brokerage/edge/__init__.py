"""The edge: where customers' encrypted connections end, and what is too much is turned away."""
