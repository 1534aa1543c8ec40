"""The customers' API with order management: the front of the brokerage."""
