"""The relay: no request goes on to the api before it stands in the transaction log."""
