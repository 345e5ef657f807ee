"""Accounts, passwords, and limits on failed login attempts."""
