"""The gateway: the brokerage's side of the exchange session, and the posting of executions."""
