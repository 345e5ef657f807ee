"""Analysis across the sessions of one client: means, trends, technique associations and follow-up windows."""
