"""Sessions on record: rows, reports, notes, screening."""
