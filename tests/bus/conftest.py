"""The rules' assertions are to explain themselves, as those in test files do."""

import pytest

RULES = ("records", "leases", "rows", "flow", "stage", "crash")

pytest.register_assert_rewrite(*(f"tests.bus.{name}_rules" for name in RULES))
