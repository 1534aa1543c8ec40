"""Ways to break a target: one small file per primitive."""
