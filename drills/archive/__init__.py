"""All runs of a folder together: an index of their cards, the history of each drill, what an auditor takes away."""
