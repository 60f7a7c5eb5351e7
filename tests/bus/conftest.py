"""The rules' assertions are to explain themselves, as those in test files do."""

import pytest

pytest.register_assert_rewrite("tests.bus.records_rules", "tests.bus.leases_rules", "tests.bus.rows_rules")
