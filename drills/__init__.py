"""What a drill is, how it runs and how it is judged."""
