"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

from tests.strategies import examples

# A shared machine is slow now and then: no test of an invariant fails for the time it took.
settings.register_profile("untimed", deadline=None, max_examples=examples(50))
settings.load_profile("untimed")
