"""Who follows runbooks."""
