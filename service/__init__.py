"""Everything that runs and is kept: rooms, sessions, storage, workers and the command line."""
