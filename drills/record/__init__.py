"""The run folder on disk: its files, how they grow, how they are read back and proved untouched."""
