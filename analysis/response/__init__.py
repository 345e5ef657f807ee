"""The relaxation response: comparison of a phase with the client's own baseline."""
