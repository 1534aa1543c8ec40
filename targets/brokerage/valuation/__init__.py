"""The valuation service: what lots are worth."""
