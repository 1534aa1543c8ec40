"""The mail spool: notices of executions to customers."""
