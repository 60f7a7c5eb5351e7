"""The broker's class path, fetched once with Maven into .cache/kafka, and the command that runs a class of it."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).with_name("kafka-broker")
_CACHE: Final = Path(__file__).parents[2] / ".cache" / "kafka"
_JARS: Final = _CACHE / "jars"
ARCHIVE: Final = _CACHE / "broker.jsa"
"""The classes of one broker's run, which shorten every later start; a stale file is ignored by Java."""
_JVM: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms64m",
    "-Xss512k",
    "-XX:MaxDirectMemorySize=128m",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


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
        subprocess.run(["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), *goal], check=True, stdout=sys.stderr)
        with contextlib.suppress(OSError):  # another process was first: its jars are as good
            target.rename(_JARS)


def java(*arguments: str) -> list[str]:
    share = ["-Xshare:auto", f"-XX:SharedArchiveFile={ARCHIVE}"] if ARCHIVE.exists() else []
    return ["java", *_JVM, *share, "-cp", f"{_JARS}/*", *arguments]
