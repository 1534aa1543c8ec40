"""The only part that acts: it starts targets, injects, watches, and heals."""
