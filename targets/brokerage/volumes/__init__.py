"""Volumes of a size of their own: where they lie, how full they are, and what operators do to them."""
