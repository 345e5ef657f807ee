"""The client's own page, the links that open it, and follow-up answers."""
