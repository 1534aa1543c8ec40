"""The exchange simulator: an own party with an own book, which goes on when the brokerage does not."""
