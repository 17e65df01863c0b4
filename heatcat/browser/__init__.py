"""Look at a catalogue: maps, slices and single engines in a page, or as plots from Python.

``shown.source`` says where data come from, ``shown.sheet`` what one sweep offers,
``shown.picture`` what is to be drawn and ``shown.plane`` the numbers for it; ``drawn`` draws them.
``state.view`` is what a visitor has chosen.  ``page`` puts the ``sections`` and the ``panels``
behind the tabs together, ``server`` serves it, and ``plots`` are the plots from Python.
"""
