"""A client's rights: export, erasure, retention, restoring a backup."""
