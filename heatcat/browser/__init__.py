"""Look at a catalogue: maps, slices and single engines in a page, or as plots from Python.

``source`` says where data come from, ``sheet`` what one sweep offers, ``picture`` what is to be
drawn; ``plane``, ``maps`` and ``slices`` draw it; ``view`` is the state of a page; ``page`` puts
the page together, with ``point``, ``live_point``, ``progress`` and ``export``.
"""
