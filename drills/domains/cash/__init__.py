"""Cash: the double-entry ledger."""
