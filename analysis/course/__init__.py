"""Many sessions of one client: trends, associations, follow-up answers."""
