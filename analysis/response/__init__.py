"""The relaxation response: a phase against the client's own baseline."""
