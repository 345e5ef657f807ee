"""The test bench, which plays recordings in rooms of their own."""
