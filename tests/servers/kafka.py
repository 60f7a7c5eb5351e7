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
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.kafka_security import PROTOCOLS, Security, scram_request

_HERE = Path(__file__).with_name("kafka-broker")
_CACHE = Path(__file__).parents[2] / ".cache" / "kafka"
_JARS = _CACHE / "jars"
_ARCHIVE = _CACHE / "broker.jsa"
_JVM = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms64m",
    "-Xss512k",
    "-XX:MaxDirectMemorySize=128m",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)
_READY_WITHIN = 60.0


class NotReady(Exception):
    """A broker did not start; the message ends with the last lines it said."""


def missing() -> str | None:
    """What has to be installed before a broker can run here, or None."""
    absent = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if "mvn" in absent and _fetched():
        absent.remove("mvn")
    if not absent:
        return None
    return f"{' and '.join(absent)} not found: install Java 17 and Maven (Debian: openjdk-17-jre-headless maven)"


def _fetched() -> bool:
    return any(_JARS.glob("kafka_2.13-*.jar"))


def fetch() -> None:
    """Resolve the broker's class path with Maven, once: 45 jars, 43 MB. Half a fetch leaves nothing behind."""
    if _fetched():
        return
    _CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        target = Path(folder) / "jars"
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={target}", "-DincludeScope=runtime"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(_HERE / "pom.xml"), *goal], check=True, stdout=sys.stderr)
        with contextlib.suppress(OSError):  # another process was first: its jars are as good
            target.rename(_JARS)


def archive() -> None:
    """Write the classes of one broker's run to a file that shortens every later start; a stale file is ignored by Java."""
    if not _ARCHIVE.exists():
        with Cluster(options=(f"-XX:ArchiveClassesAtExit={_ARCHIVE}",)) as cluster:
            cluster.stop(1)


class Cluster:
    """`nodes` brokers in a folder of their own, up while the context is entered. Nodes are counted from 1.

    With `security`, each has a listener for every protocol of `PROTOCOLS` as well.
    """

    def __init__(
        self, nodes: int = 1, *, security: Security | None = None, properties: Sequence[str] = (), options: Sequence[str] = ()
    ) -> None:
        self._folder = Path(tempfile.gettempdir())
        self._properties = properties
        self._options = options
        self._security = security
        ports = iter(_free_ports((2 + len(PROTOCOLS)) * nodes))
        numbers = range(1, nodes + 1)
        self._ports = {node: next(ports) for node in numbers}
        self._controllers = {node: next(ports) for node in numbers}
        self._secured = {node: {each: next(ports) for each in PROTOCOLS} for node in numbers}
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def bootstrap_servers(self) -> tuple[str, ...]:
        return tuple(f"127.0.0.1:{port}" for port in self._ports.values())

    def secured(self, protocol: str) -> tuple[str, ...]:
        """The bootstrap servers for one of `PROTOCOLS`, of a cluster with `security`."""
        return tuple(f"127.0.0.1:{ports[protocol]}" for ports in self._secured.values())

    def __enter__(self) -> Self:
        fetch()
        self._folder = Path(tempfile.mkdtemp(prefix="kafka-"))
        try:
            self._format()
            for node in self._ports:
                self.launch(node)
            for node in self._ports:
                self.await_ready(node, brokers=len(self._ports))
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
                [*_tied(), *_java("-Xmx256m", *self._options, "kafka.Kafka", str(home / "server.properties"))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def await_ready(self, node: int, *, brokers: int = 1) -> None:
        """Until the node answers and knows of so many. Raises `NotReady`."""
        deadline = time.monotonic() + _READY_WITHIN
        while _brokers_known(self._ports[node]) < brokers:
            status = self._running[node].poll()
            if status is not None or time.monotonic() > deadline:
                said = (self._home(node) / "log").read_text("utf-8", "replace")[-2000:]
                raise NotReady(f"broker {node} is not ready (exit status {status}):\n{said}")
            time.sleep(0.05)

    def admit(self, user: str, password: str) -> None:
        """Have one user more by SCRAM-SHA-512, from now on."""
        request = scram_request(user, password)
        with socket.create_connection(("127.0.0.1", self._ports[1]), 5) as connection, connection.makefile("rb") as answer:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer.read(4)

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
        replication = min(3, len(self._ports))
        ident = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        for node, port in self._ports.items():
            home = self._home(node)
            home.mkdir()
            settings = home / "server.properties"
            secured, users, more = "", list[str](), list(self._properties)
            if self._security is not None:
                secured = self._security.listeners(self._secured[node])
                users, more = [*self._security.users()], [*more, *self._security.properties(home)]
            settings.write_text(
                (_HERE / "server.properties")
                .read_text("utf-8")
                .format(
                    node=node,
                    port=port,
                    controller_port=self._controllers[node],
                    voters=",".join(f"{other}@127.0.0.1:{its}" for other, its in self._controllers.items()),
                    folder=home,
                    replication=replication,
                    in_sync=2 if replication == 3 else 1,
                    secured=secured,
                    extra="\n".join(more),
                ),
                "utf-8",
            )
            command = _java("-Xmx128m", "kafka.tools.StorageTool", "format", "-t", ident, "-c", str(settings), *users)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _java(*arguments: str) -> list[str]:
    share = ["-Xshare:auto", f"-XX:SharedArchiveFile={_ARCHIVE}"] if _ARCHIVE.exists() else []
    return ["java", *_JVM, *share, "-cp", f"{_JARS}/*", *arguments]


def _tied() -> list[str]:
    """A prefix that has the kernel kill the broker when the thread that starts it ends, where the system offers one."""
    return ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _brokers_known(port: int) -> int:
    """How many live brokers the one at `port` lists; 0 while it does not answer: a metadata request (version 1, no topics)."""
    request = struct.pack(">hhih", 3, 1, 0, -1) + struct.pack(">i", 0)
    try:
        with socket.create_connection(("127.0.0.1", port), 0.5) as connection, connection.makefile("rb") as answer:
            connection.sendall(struct.pack(">i", len(request)) + request)
            head = answer.read(12)
    except OSError:
        return 0
    return int(struct.unpack(">iii", head)[2]) if len(head) == 12 else 0


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
