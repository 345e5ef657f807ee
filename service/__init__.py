"""What runs: rooms, sessions, storage, workers and the command line."""
