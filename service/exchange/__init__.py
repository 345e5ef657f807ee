"""Other programs' formats: export of sessions, import of recordings. Pure conversions of bytes, without the database."""
