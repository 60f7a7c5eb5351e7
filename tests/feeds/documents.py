"""Feeds for tests: one item of each kind of news in every format, and RSS made of any texts."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>شبكة</title><link>https://news.example.net/</link><language>ar</language>
<item>
  <title>الخبر &amp;amp; ما بعده</title><link>/a/1</link><guid isPermaLink="false">n:1</guid>
  <pubDate>Mon, 05 Feb 2024 14:03:22 +0300</pubDate><dc:creator>فلان</dc:creator><category>سياسة</category>
  <description>&lt;p&gt;موجز&lt;br&gt;ثان&lt;/p&gt;</description>
  <content:encoded><![CDATA[<p>الأول</p><p>الثاني <a href="x">هنا</a></p><script>x()</script>]]></content:encoded>
  <source url="https://agency.example.org/">وكالة</source><comments>https://news.example.net/a/1#c</comments>
  <enclosure url="/p.jpg" type="image/jpeg" length="12"/><media:content url="https://news.example.net/q.jpg" type="image/jpeg"/>
</item>
</channel></rss>"""

RDF = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
  xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://news.example.net/"><title>c</title><link>https://news.example.net/</link></channel>
<item rdf:about="https://news.example.net/1"><title>One</title><link>https://news.example.net/1</link>
  <dc:date>2024-02-05T14:03:22+03:00</dc:date><description>plain text</description></item>
</rdf:RDF>"""

ATOM = """<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" xml:base="https://news.example.net/sub/">
<title>t</title><id>urn:f</id><link href="https://news.example.net/"/>
<entry xml:lang="fr"><id>urn:1</id><title type="html">Un &amp;amp; deux</title><link href="un"/>
  <published>2024-02-05T11:03:22Z</published><updated>2024-02-05T12:00:00Z</updated><author><name>Elle</name></author>
  <category term="p" label="Politique"/>
  <summary>en bref</summary>
  <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a</p><p>b</p></div></content></entry>
</feed>"""

ATOM03 = """<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>t</title>
<entry><title>One</title><id>tag:1</id><link rel="alternate" type="text/html" href="https://news.example.net/1"/>
<issued>2024-02-05T11:03:22Z</issued><modified>2024-02-05T12:00:00Z</modified></entry></feed>"""

JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "t", "language": "en", "home_page_url": "https://news.example.net/",
"items": [{"id": 1, "url": "/1", "title": "One", "content_html": "<p>a</p><p>b</p>", "summary": "s", "tags": ["x"],
"date_published": "2024-02-05T14:03:22+03:00", "authors": [{"name": "Me"}],
"attachments": [{"url": "/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 7}]}]}"""


def item(number: int, text: str = "x") -> str:
    """A small RSS item that differs by its number."""
    return (
        f"<item><title>{escape(text)} {number}</title><guid>n:{number}</guid><link>https://e.example/{number}</link>"
        f"<pubDate>Mon, 05 Feb 2024 14:03:22 GMT</pubDate><description>{escape(text)}</description></item>"
    )


def rss(items: Iterable[str], head: str = "") -> bytes:
    """An RSS 2.0 document of these items."""
    return f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>c</title>{"".join(items)}</channel></rss>'.encode()
