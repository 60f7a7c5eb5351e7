"""Feeds as newspapers write them: ten languages and more, every format, the charsets they really use. Nobody's own text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import orjson

WORDS: Final[Mapping[str, str]] = {
    "ar": "قال الوزير إن القوات تواصل عملها في العاصمة بغداد بعد اجتماع طارئ تناول ملف النفط والتعاون الأمني مع دول الجوار",
    "fa": "وزیر گفت نیروها پس از نشست فوری درباره نفت و همکاری امنیتی با کشورهای همسایه در پایتخت می‌مانند",
    "he": "השר אמר כי הכוחות ממשיכים לפעול בבירה לאחר ישיבה דחופה שעסקה בנפט ובשיתוף הפעולה הביטחוני עם המדינות השכנות",
    "ru": "Министр заявил что войска продолжают работу в столице после срочного совещания о нефти и сотрудничестве с соседями",
    "uk": "Міністр заявив що війська продовжують роботу в столиці після термінової наради про нафту та співпрацю з її сусідами",
    "zh": "部长 表示 部队 在 紧急 会议 之后 继续 在 首都 工作 会议 讨论 了 石油 和 与 邻国 的 安全 合作",
    "ja": "大臣 は 緊急 会議 の 後 も 首都 で 部隊 が 活動 を 続ける と 述べ 石油 と 隣国 との 安全 保障 協力 について 話した",
    "ko": "장관은 석유와 이웃 나라와의 안보 협력을 다룬 긴급 회의 뒤에도 부대가 수도에서 활동을 이어 간다고 말했다",
    "tr": "Bakan petrol ve komşu ülkelerle güvenlik işbirliğini görüşen acil toplantının ardından güçlerin çalıştığını söyledi",
    "el": "Ο υπουργός είπε ότι οι δυνάμεις συνεχίζουν το έργο τους στην πρωτεύουσα μετά από έκτακτη σύσκεψη για το πετρέλαιο",
    "en": "The minister said that forces remain in the capital after an urgent meeting about oil and help for neighbours",
    "fr": "Le ministre a déclaré que les forces poursuivent leur tâche à l’intérieur après une réunion à propos du pétrole",
    "pl": "Minister powiedział że siły wciąż działają w stolicy po pilnym spotkaniu poświęconym ropie i współpracy z sąsiadami",
    "th": "รัฐมนตรี กล่าว ว่า กองกำลัง ยังคง ทำงาน ใน เมืองหลวง หลังจาก การประชุม ด่วน เรื่อง น้ำมัน และ ความร่วมมือ กับ เพื่อนบ้าน",
}

CHARSETS: Final[Mapping[str, tuple[str, ...]]] = {
    "ar": ("windows-1256", "iso-8859-6"),
    "fa": ("windows-1256",),
    "he": ("windows-1255", "iso-8859-8"),
    "ru": ("windows-1251", "koi8-r", "iso-8859-5"),
    "uk": ("windows-1251", "koi8-u"),
    "zh": ("gb18030", "gb2312", "gbk", "big5"),
    "ja": ("shift_jis", "euc-jp", "iso-2022-jp"),
    "ko": ("euc-kr",),
    "tr": ("iso-8859-9", "windows-1254"),
    "el": ("iso-8859-7", "windows-1253"),
    "en": ("us-ascii", "iso-8859-1"),
    "fr": ("iso-8859-1", "iso-8859-15", "windows-1252"),
    "pl": ("iso-8859-2", "windows-1250"),
    "th": ("windows-874", "tis-620"),
}
"""What a language's papers used before UTF-8, beside UTF-8 and UTF-16."""
EVERYWHERE: Final = ("utf-8", "utf-16")
FORMATS: Final = ("rss", "rdf", "atom", "json")

_CODECS: Final = {"windows-874": "cp874", "tis-620": "cp874", "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}
_FIRST: Final = datetime(2024, 2, 5, 11, 3, 22, tzinfo=UTC)
_SPACES: Final = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
)
_RDF: Final = 'xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What one item says; texts hold markup only in `summary` and `body`."""

    number: int
    link: str
    title: str
    summary: str
    body: str
    author: str
    tag: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A feed before it is written down."""

    language: str
    name: str
    stories: tuple[Story, ...]

    def text(self, form: str, charset: str = "utf-8") -> str:
        """The document in a format of `FORMATS`, with the charset it claims."""
        return _WRITERS[form](self, charset)

    def written(self, form: str, charset: str = "utf-8") -> bytes:
        """The document in its charset; characters that it lacks become references, as editors' software writes them."""
        return encoded(self.text(form, charset), charset)


def encoded(text: str, charset: str) -> bytes:
    return text.encode(_CODECS.get(charset, charset), "xmlcharrefreplace")


def paper(random: Random, language: str, stories: int = 6) -> Paper:
    """Stories of random words of the language."""
    return Paper(
        language=language,
        name=_words(random, language, 3),
        stories=tuple(_story(random, language, number) for number in range(stories)),
    )


def _words(random: Random, language: str, count: int) -> str:
    glue = "" if language in {"zh", "ja", "th"} else " "
    return glue.join(random.choice(WORDS[language].split()) for _ in range(count))


def _story(random: Random, language: str, number: int) -> Story:
    link = f"https://news.example.net/{language}/{number}"
    markup = f'<p>{_words(random, language, 12)}</p><p><a href="/{number}">{_words(random, language, 2)}</a> &amp; 3 &lt; 4</p>'
    return Story(
        number=number,
        link=link,
        title=f"{_words(random, language, random.randint(4, 9))} {number}",
        summary=markup if random.random() < 0.6 else _words(random, language, 15),
        body=f"{markup}<ul><li>{_words(random, language, 5)}</li></ul><img src='{link}.jpg' alt=''>" * random.randint(0, 3),
        author=_words(random, language, 2),
        tag=_words(random, language, 1),
        at=_FIRST - timedelta(hours=number),
    )


def _rss(said: Paper, charset: str) -> str:
    items = "".join(
        f"<item>\n <title>{escape(story.title)}</title><link>{story.link}</link>"
        f'<guid isPermaLink="false">n:{story.number}</guid><pubDate>{story.at:%a, %d %b %Y %H:%M:%S} +0000</pubDate>'
        f"<dc:creator>{escape(story.author)}</dc:creator><category>{escape(story.tag)}</category>"
        f"<description>{escape(story.summary)}</description><content:encoded><![CDATA[{story.body}]]></content:encoded>"
        f'<enclosure url="{story.link}.mp3" type="audio/mpeg" length="{story.number + 7}"/>'
        f'<media:content url="{story.link}.jpg" type="image/jpeg"/><comments>{story.link}#c</comments>'
        f'<source url="https://agency.example.org/">{escape(story.author)}</source>\n</item>\n'
        for story in said.stories
    )
    head = f"<title>{escape(said.name)}</title><link>https://news.example.net/</link><language>{said.language}</language>"
    more = "<ttl>30</ttl><sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>"
    return f'{_declared(charset)}<rss version="2.0" {_SPACES}><channel>{head}{more}\n{items}</channel></rss>\n'


def _rdf(said: Paper, charset: str) -> str:
    items = "".join(
        f"<item rdf:about={quoteattr(story.link)}><title>{escape(story.title)}</title><link>{story.link}</link>"
        f"<dc:date>{story.at.isoformat()}</dc:date><dc:creator>{escape(story.author)}</dc:creator>"
        f"<dc:subject>{escape(story.tag)}</dc:subject><description>{escape(story.summary)}</description>"
        f"<content:encoded><![CDATA[{story.body}]]></content:encoded></item>\n"
        for story in said.stories
    )
    listed = "".join(f"<rdf:li rdf:resource={quoteattr(story.link)}/>" for story in said.stories)
    head = f"<title>{escape(said.name)}</title><link>https://news.example.net/</link><dc:language>{said.language}</dc:language>"
    channel = f'<channel rdf:about="https://news.example.net/">{head}<items><rdf:Seq>{listed}</rdf:Seq></items></channel>'
    return f"{_declared(charset)}<rdf:RDF {_RDF} {_SPACES}>{channel}\n{items}</rdf:RDF>\n"


def _atom(said: Paper, charset: str) -> str:
    entries = "".join(
        f"<entry><id>tag:news.example.net,2024:{story.number}</id><title>{escape(story.title)}</title>"
        f'<link rel="alternate" href="{story.link}"/><link rel="enclosure" href="{story.link}.mp3" type="audio/mpeg"/>'
        f"<published>{story.at.isoformat()}</published><updated>{(story.at + timedelta(minutes=9)).isoformat()}</updated>"
        f"<author><name>{escape(story.author)}</name></author><category term={quoteattr(story.tag)}/>"
        f'<summary type="html">{escape(story.summary)}</summary><content type="html">{escape(story.body)}</content></entry>\n'
        for story in said.stories
    )
    head = f'<title>{escape(said.name)}</title><id>urn:feed</id><link href="https://news.example.net/"/>'
    space = f'xmlns="http://www.w3.org/2005/Atom" xml:lang="{said.language}"'
    return f"{_declared(charset)}<feed {space}>{head}\n{entries}</feed>\n"


def _json(said: Paper, _: str) -> str:
    items = [
        {
            "id": f"n:{story.number}",
            "url": story.link,
            "title": story.title,
            "summary": story.summary,
            "content_html": story.body or story.summary,
            "date_published": story.at.isoformat(),
            "authors": [{"name": story.author}],
            "tags": [story.tag],
            "attachments": [{"url": f"{story.link}.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 7}],
        }
        for story in said.stories
    ]
    head = {"version": "https://jsonfeed.org/version/1.1", "title": said.name, "language": said.language}
    return orjson.dumps({**head, "home_page_url": "https://news.example.net/", "items": items}).decode()


def _declared(charset: str) -> str:
    return f'<?xml version="1.0" encoding="{charset}"?>\n'


_WRITERS: Final = {"rss": _rss, "rdf": _rdf, "atom": _atom, "json": _json}
