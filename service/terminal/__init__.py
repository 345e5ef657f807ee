"""Terminal input and output of the commands: progress, tables, keys, signals."""
