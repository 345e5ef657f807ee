"""Files that somebody brings to a client's page: read, shown, and stored as sessions once a person has decided."""
