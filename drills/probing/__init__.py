"""An outage meter for any HTTP address: requests at fixed instants, whatever is answered, and what they show."""
