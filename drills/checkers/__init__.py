"""Pure checks of a history: one file per family."""
