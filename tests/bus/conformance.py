"""What every engine of the bus must keep, whatever it is made of: one suite, run by each engine's test file.

class TestMemory(Conformance): ...      with a fixture `engine` beside it, see `tests.bus.engine.Engine`
"""

from tests.bus.flow_rules import FlowRules
from tests.bus.leases_rules import LeaseRules
from tests.bus.records_rules import RecordRules
from tests.bus.rows_rules import RowRules
from tests.bus.stage_rules import StageRules


class Conformance(RecordRules, LeaseRules, RowRules, FlowRules, StageRules):
    """All rules. Times are in seconds; an engine's `patience` bounds every wait."""
