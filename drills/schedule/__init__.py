"""When drills take place: dates of a schedule with the reasons why not, and what is due at an instant."""
