"""The night batch: its calendar, its jobs, and when the day opens."""
