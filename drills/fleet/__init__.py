"""Several runs from one command, side by side where the machine is large enough."""
