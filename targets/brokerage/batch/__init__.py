"""The night batch with its scheduler: jobs in order, holds, checkpoints, and the operators' way to both.

``process`` serves it; ``skewed_lots`` is a condition that can be planted in what it works on.
"""
