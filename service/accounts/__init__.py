"""Who may log in: accounts, passwords, limits on failed attempts."""
