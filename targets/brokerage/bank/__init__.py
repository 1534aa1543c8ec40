"""The bank: another company, which pays on the brokerage's word."""
