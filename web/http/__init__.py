"""What every handler shares: endpoints, errors, security, templates, static files."""
