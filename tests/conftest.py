"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.strategies import examples

# A shared machine is slow now and then: no test of an invariant fails for the time it took.
# Examples are the same in every run, so that a test which fails was broken by a change;
# HEATCAT_EXAMPLES draws others, and more of them.
settings.register_profile(
    "untimed",
    deadline=None,
    max_examples=examples(50),
    derandomize="HEATCAT_EXAMPLES" not in os.environ,
)
settings.load_profile("untimed")
