"""Look at a catalogue: maps, slices and single engines in a page, or as plots from Python.

``shown.source`` says where data come from, ``shown.sheet`` what one sweep offers,
``shown.picture`` what is to be drawn and ``shown.plane`` the numbers for it; ``drawn`` draws them.
``state.view`` is what a visitor has chosen.  ``page`` joins the ``sections``, and the ``panels``
behind tabs, to one page; ``server`` serves it; ``plots`` are the plots from Python.
"""
