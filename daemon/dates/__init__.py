"""Reads the dates of feeds and pages, in any language's words and digits, and says how; never trusts them further.

text ─ RFC 822 ─ ISO 8601 ─ epoch ─ month tables ─ dateparser ─▶ Moment
"""

from daemon.dates.ladder import Guesses, read_date
from daemon.dates.trust import believe, settle

__all__ = ["Guesses", "believe", "read_date", "settle"]
