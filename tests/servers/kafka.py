"""A real Apache Kafka (KRaft) on 127.0.0.1, for tests and developers: no container, no root, only Java 17 and Maven.

    python -m tests.servers.kafka jars      fetch the broker's jars into .cache/kafka and archive its classes
    python -m tests.servers.kafka up [N]    run N brokers until Ctrl-C; prints the bootstrap servers

Brokers die with the process that started them, however that ends.
"""

import base64
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.servers.kafka_jars import ARCHIVE, fetch, java, missing
from tests.servers.kafka_node import Plan, choose_ports
from tests.servers.kafka_security import Security, scram_request
from tests.servers.kafka_wire import ask, brokers_known, coordinator_of

__all__ = ["Cluster", "NotReady", "archive", "fetch", "missing"]

_READY_WITHIN: Final = 60.0


class NotReady(Exception):
    """A broker did not start; the message ends with the last lines it said."""


class Cluster:
    """`nodes` brokers in a folder of their own, up while the context is entered. Nodes are counted from 1.

    With `security`, each has a listener for every protocol of `PROTOCOLS` as well. With `fronts`, clients find each node at a
    port of somebody else's, who leads them to `behind(node)`; brokers among themselves go past it.
    """

    def __init__(
        self,
        nodes: int = 1,
        *,
        security: Security | None = None,
        fronts: Mapping[int, int] | None = None,
        properties: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        self._folder = Path(tempfile.gettempdir())
        self._plan = Plan(choose_ports(nodes), fronts or {}, security, properties)
        self._options = options
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def nodes(self) -> Sequence[int]:
        return tuple(self._plan.ports)

    @property
    def bootstrap_servers(self) -> tuple[str, ...]:
        return tuple(f"127.0.0.1:{self._plan.fronts.get(node, its.plain)}" for node, its in self._plan.ports.items())

    @property
    def direct_servers(self) -> tuple[str, ...]:
        """The bootstrap servers for who goes past the fronts."""
        return tuple(f"127.0.0.1:{its.plain}" for its in self._plan.ports.values())

    def secured(self, protocol: str) -> tuple[str, ...]:
        """The bootstrap servers for one of `PROTOCOLS`, of a cluster with `security`."""
        return tuple(f"127.0.0.1:{its.secured[protocol]}" for its in self._plan.ports.values())

    def behind(self, node: int) -> int:
        """The port where a node listens to whom its front sends."""
        return self._plan.ports[node].front

    def coordinator(self, group: str) -> int:
        """The node that coordinates a group. Raises `OSError` when none of the nodes answers, -1 when there is none yet."""
        answering = next(node for node, process in self._running.items() if process.poll() is None)
        return coordinator_of(self._plan.ports[answering].plain, group)

    def __enter__(self) -> Self:
        fetch()
        self._folder = Path(tempfile.mkdtemp(prefix="kafka-"))
        try:
            self._format()
            for node in self.nodes:
                self.launch(node)
            for node in self.nodes:
                self.await_ready(node, brokers=len(self.nodes))
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def launch(self, node: int) -> None:
        """Start a node, also one that was stopped or killed, on its old port and data; `await_ready` sees it answer.

        To be called by a thread that lives as long as the broker is to.
        """
        home = self._home(node)
        with (home / "log").open("ab") as log:
            self._running[node] = subprocess.Popen(
                [*_tied(), *java("-Xmx256m", *self._options, "kafka.Kafka", str(home / "server.properties"))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def await_ready(self, node: int, *, brokers: int = 1) -> None:
        """Until the node answers and knows of so many. Raises `NotReady`."""
        deadline = time.monotonic() + _READY_WITHIN
        while brokers_known(self._plan.ports[node].plain) < brokers:
            status = self._running[node].poll()
            if status is not None or time.monotonic() > deadline:
                said = (self._home(node) / "log").read_text("utf-8", "replace")[-2000:]
                raise NotReady(f"broker {node} is not ready (exit status {status}):\n{said}")
            time.sleep(0.05)

    def admit(self, user: str, password: str) -> None:
        """Have one user more by SCRAM-SHA-512, from now on."""
        ask(self._plan.ports[1].plain, scram_request(user, password), 5.0)

    def stop(self, node: int) -> None:
        """In order: leaders move away first, files are closed."""
        self._running[node].terminate()
        self._running[node].wait(60)

    def kill(self, node: int) -> None:
        """As a power cut would, except that what the kernel holds still reaches the disk."""
        self._running[node].kill()
        self._running[node].wait()

    def freeze(self, node: int) -> None:
        self._running[node].send_signal(signal.SIGSTOP)

    def thaw(self, node: int) -> None:
        self._running[node].send_signal(signal.SIGCONT)

    def _close(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _home(self, node: int) -> Path:
        return self._folder / f"node-{node}"

    def _format(self) -> None:
        ident = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        users = [*self._plan.security.users()] if self._plan.security else []
        formatting = []
        for node in self.nodes:
            home = self._home(node)
            home.mkdir()
            settings = home / "server.properties"
            settings.write_text(self._plan.settings(node, home), "utf-8")
            command = java("-Xmx128m", "kafka.tools.StorageTool", "format", "-t", ident, "-c", str(settings), *users)
            formatting.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        for each in formatting:
            if each.wait():
                raise subprocess.CalledProcessError(each.returncode, each.args)


def archive() -> None:
    """Write the classes of one broker's run to `ARCHIVE`."""
    if not ARCHIVE.exists():
        with Cluster(options=(f"-XX:ArchiveClassesAtExit={ARCHIVE}",)) as cluster:
            cluster.stop(1)


def _tied() -> list[str]:
    """A prefix that has the kernel kill the broker when the thread that starts it ends, where the system offers one."""
    return ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


def _up(nodes: int) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), Cluster(nodes) as cluster:
        sys.stdout.write(f"bootstrap_servers: [{', '.join(cluster.bootstrap_servers)}]\n")
        sys.stdout.flush()
        while True:
            signal.pause()


def _main(arguments: Sequence[str]) -> int:
    match arguments:
        case ["jars"]:
            fetch()
            archive()
        case ["up"]:
            _up(1)
        case ["up", nodes] if nodes.isdigit() and int(nodes) > 0:
            _up(int(nodes))
        case _:
            sys.stderr.write("usage: python -m tests.servers.kafka jars | up [N]\n")
            return os.EX_USAGE
    return os.EX_OK


if __name__ == "__main__":
    if reason := missing():
        sys.exit(reason)
    sys.exit(_main(sys.argv[1:]))
