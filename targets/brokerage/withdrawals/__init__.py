"""Withdrawals: cash to the customers' own bank accounts, over a link to the bank that nothing else uses."""
