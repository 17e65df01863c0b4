"""Exceptions with a message for people: one line that ends with what to do."""


class InvalidInput(ValueError):
    """Bad input, described in one line that ends in its remedy.

    Raised before any computing.  The command line prints the message alone and exits with code 2.
    """


class Unsolvable(ArithmeticError):
    """A valid engine that a method cannot solve: one line that says why and what to do.

    `ensemble.solution.failed` turns it into the status "failed" with this line as its message.
    """
