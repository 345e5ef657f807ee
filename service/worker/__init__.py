"""The worker process that computes and draws outside the event loop."""
