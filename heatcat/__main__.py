"""``python -m heatcat`` is the command ``heatcat``."""

from heatcat.cli import main

if __name__ == "__main__":
    main()
