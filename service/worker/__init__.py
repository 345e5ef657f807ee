"""The worker process that computes and draws beside the event loop."""
