"""Who the customers are and when they come."""
