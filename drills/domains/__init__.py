"""What a business is judged by, one folder a domain: its facts, its checks."""
