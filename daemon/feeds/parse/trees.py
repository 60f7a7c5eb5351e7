"""From XML's bytes, UTF-8 by now, to a tree: the one place that says what libxml2 may do with a stranger's document.

No DTD, no entities, no network (feeds 19); libxml2's own limits of depth and size stay on (feeds 20).
"""

from typing import TypeAlias

from lxml import etree

Element: TypeAlias = "etree._Element"  # noqa: SLF001 - the only name lxml gives its elements


def read_tree(document: bytes, *, recover: bool = False) -> "Element | None":
    """The root; None when nothing at all could be recovered. Whatever charset the document declares, it is UTF-8.

    Raises `lxml.etree.XMLSyntaxError` for what is broken, with `recover` only where nothing can be read.
    """
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )
    root: Element | None = etree.fromstring(document, parser)
    return root


def local_name(element: Element) -> str:
    """The name in lower case, without its space, also of an element whose prefix was never declared."""
    tag: object = element.tag  # of references that were left as they are, it is no text
    return "" if not isinstance(tag, str) else tag.rpartition("}")[2].rpartition(":")[2].lower()
