"""Texts, charts and PDF that documents and pages share."""
