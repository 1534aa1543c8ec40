"""The night batch with its scheduler: jobs in order, holds, checkpoints, and the operators' way to both."""
