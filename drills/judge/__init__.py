"""What the judge measures: instants, outages, loss, harm, and what the witnesses say is right. Pure."""
