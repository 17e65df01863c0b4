"""What the user of a store is warned of, in a module that is quick to import."""


class SweepLeftOut(UserWarning):
    """A sweep of a store cannot be opened; the others are."""


class OlderSolver(UserWarning):
    """Stored values come from another version of the solver than the one that is installed."""
