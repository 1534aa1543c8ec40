"""The judge's own checks: those of validity, which ask whether a run can judge at all, and what was left at its end."""
