"""Documents that people read and take home: summaries, course pages, SOAP drafts, exported pages."""
