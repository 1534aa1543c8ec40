"""Figures shown to customers: what was right, what was shown, who acted on it."""
