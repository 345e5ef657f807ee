"""Building blocks of every handler: endpoints, errors, security, templates, static files."""
