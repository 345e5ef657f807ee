"""A client's course over weeks: plan, visits, who is due."""
