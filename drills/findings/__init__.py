"""What failed in drills, kept until it is mended and shown to be: derived from runs, closed by retests alone."""
