"""Words, charts and paper that documents and pages share."""
