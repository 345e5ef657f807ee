"""How the command line prints: progress, tables, keys, signals."""
