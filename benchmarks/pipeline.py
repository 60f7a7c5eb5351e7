"""Raw article to decided alert, one process, embedded bus: articles a second through enricher, matcher and alerter.

python -m benchmarks.pipeline [ARTICLES]
"""

import asyncio
import io
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from daemon.app.buses import open_bus
from daemon.app.roles import Role
from daemon.app.service import SWITCH_INTERVAL
from daemon.app.setup import Setup, load_setup
from daemon.app.stages import Outside, open_stages
from daemon.bus.base import Bus, Record
from daemon.bus.topics import RAW
from daemon.clock import WallClock
from daemon.messages.article import FeedCard, FirstFetch, Item, Moment, RawArticle
from daemon.messages.wire import article_id, encode
from daemon.metrics import Metrics

ROOT: Final = Path(__file__).parent.parent
WORDS: Final = [
    "الحكومة",
    "أعلنت",
    "اليوم",
    "خطة",
    "جديدة",
    "لدعم",
    "الاقتصاد",
    "في",
    "المحافظات",
    "بعد",
    "اجتماع",
    "الوزراء",
    "مع",
    "ممثلي",
    "القطاع",
    "الخاص",
    "بغداد",
    "المشروع",
    "الوطني",
    "المياه",
    "الكهرباء",
    "التعليم",
    "الصحة",
    "المدينة",
    "الطريق",
    "الميناء",
    "التجارة",
    "الزراعة",
    "ووزير",
    "الخارجية",
    "الاتفاق",
    "المشترك",
    "بين",
    "البلدين",
    "الأسبوع",
    "المقبل",
]
HIT: Final = "وزير الدفاع ثابت العباسي مع نظيره الأمريكي"


def articles(count: int) -> Iterator[RawArticle]:
    """Texts of about 3.8 kB, no two alike; one in twenty hits."""
    chance = random.Random(7)
    for number in range(count):
        words = chance.choices(WORDS, k=330)
        if number % 20 == 0:
            words.insert(150, HIT)
        text = ". ".join(" ".join(words[at : at + 15]) for at in range(0, len(words), 15))
        site = f"site{number % 40}.example"
        url = f"https://{site}/{number}"
        feed = FeedCard(id=site, url=f"https://{site}/feed", language="ar", max_age=None, first_fetch=FirstFetch.ALERT)
        item = Item(id=url, link=url, title=" ".join(words[:9]), content=text, published=Moment(at=time.time()))
        yield RawArticle(id=article_id(url), site=site, url=url, feed=feed, item=item, fetched_at=time.time())


async def measure(setup: Setup, count: int) -> None:
    clock, metrics = WallClock(), Metrics()
    outside = Outside(clock=clock, observe=metrics.observe, stream=io.StringIO())
    async with open_bus(setup.config, setup.folder, clock=clock, service=True, observe=metrics.observe) as bus:
        await publish(bus, count)
        async with open_stages(setup, (Role.ENRICHER, Role.MATCHER, Role.ALERTER), bus, outside) as opened:
            began, spent = time.perf_counter(), time.process_time()
            running = [asyncio.create_task(stage.run()) for stage in opened.stages]
            while decided(metrics) < count / 20:  # noqa: ASYNC110 - a benchmark watches from outside
                await asyncio.sleep(0.02)
            seconds, cpu = time.perf_counter() - began, time.process_time() - spent
            for stage in opened.stages:
                stage.stop()
            await asyncio.gather(*running)
    print(f"{count} articles of 3.8 kB: {count / seconds:,.0f} articles/s wall, {count / cpu:,.0f} per CPU second")


async def publish(bus: Bus, count: int) -> None:
    batch: list[Record] = []
    for raw in articles(count):
        batch.append(Record(RAW, raw.site, raw.id.encode(), encode(raw), raw.fetched_at))
        if len(batch) == 500:
            await bus.publish(batch)
            batch = []
    await bus.publish(batch)


def decided(metrics: Metrics) -> float:
    """Articles with a finding that has its outcome; the matcher decides the others with them, in order."""
    told = 0.0
    for family in metrics.registry.collect():
        if family.name == "rasid_articles":
            told += sum(
                sample.value
                for sample in family.samples
                if sample.labels.get("outcome") == "matched" and sample.name.endswith("_total")
            )
    alerted = metrics.registry.get_sample_value("rasid_hop_records_total", {"hop": "alerter", "direction": "in"}) or 0.0
    return min(told, alerted)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    sys.setswitchinterval(SWITCH_INTERVAL)
    with tempfile.TemporaryDirectory() as folder:
        setup = load_setup(ROOT / "config.yaml", {"RASID_DATA_DIR": folder})
        asyncio.run(measure(setup, count))


if __name__ == "__main__":
    main()
