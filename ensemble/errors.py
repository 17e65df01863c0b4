"""The one exception that means "the input is wrong, and here is what to do"."""


class InvalidInput(ValueError):
    """Bad input, described in one line that ends in its remedy.

    Raised before any computing.  The command line prints the message alone and exits with code 2.
    """
