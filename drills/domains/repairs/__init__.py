"""Corrections of data, and what they must leave behind."""
