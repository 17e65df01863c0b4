"""How a run ends before its sweep is complete."""


class RunStopped(RuntimeError):
    """A run ended before its sweep was complete; what is finished is stored."""


class ClusterLost(RuntimeError):
    """The scheduler is gone, or every worker that tried a block died."""
