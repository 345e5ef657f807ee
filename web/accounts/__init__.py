"""Login and account management."""
