"""Systems under drill."""
