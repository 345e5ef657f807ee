"""A client's own page after the session: links, answers, reminders by mail."""
