"""The exceptions that are meant for people: one line each, which ends in what to do."""


class InvalidInput(ValueError):
    """Bad input, described in one line that ends in its remedy.

    Raised before any computing.  The command line prints the message alone and exits with code 2.
    """


class Unsolvable(ArithmeticError):
    """A valid engine that a method cannot solve: one line that says why and ends in what to do.

    `ensemble.method.attempt` turns it into the status "failed" with this line as its message.
    """
