"""All errors that the analysis can raise, as one tree.

AnalysisError
└── SimulationError    a scenario, seed or length that cannot be simulated
"""


class AnalysisError(Exception):
    """Root of all errors of the analysis; its text is a sentence for the user."""


class SimulationError(AnalysisError):
    """A scenario, seed or length that cannot be simulated."""
