"""What stages are built with."""

from daemon.app.stages import poller_limits
from daemon.config.models import Polling
from daemon.stage.partition import Limits


def test_one_partition_can_use_all_of_the_concurrency() -> None:
    """`polling.concurrency` is the bound of requests in flight, also where one process has a single partition."""
    assert poller_limits(Polling(concurrency=5_000)).in_flight == 5_000
    assert poller_limits(Polling(concurrency=10)).in_flight == Limits().in_flight
