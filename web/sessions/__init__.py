"""Sessions on record: pages, reports and notes."""
