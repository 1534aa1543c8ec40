"""The brokerage's own monitoring: scrape, evaluate rules, page. See README.md for the subset of rules it reads."""
