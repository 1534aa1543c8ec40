"""Execution notices."""
