"""The mail agent: takes notices from the spool and delivers each once."""
