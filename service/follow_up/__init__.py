"""A client's own web page after the session: links, answers, reminders by mail."""
