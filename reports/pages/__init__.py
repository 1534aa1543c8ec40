"""The page of a drill: one HTML file that a manager, an auditor or an engineer opens without us."""
