"""Sessions on record: their pages, reports and notes."""
