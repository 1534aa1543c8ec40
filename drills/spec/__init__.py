"""What a drill file and a runbook may say, and reading them strictly."""
