"""Renderings of a scorecard."""
