"""Other programs' formats: a session out, a past recording in. Pure conversions of bytes; no database is known here."""
