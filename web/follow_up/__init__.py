"""The client's own page, its links and answers."""
