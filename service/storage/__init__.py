"""SQLite: the database and its writer, migrations, backups, encryption, the audit log."""
