"""Cards: the actors and rules of a group or summary as a message names them, in the order they came."""

from collections.abc import Collection
from typing import Final

from daemon.messages.alert import FindingCard
from daemon.messages.match import Severity

MOST_CARDS: Final = 200
"""Actors and rules a group names; those beyond join without a word."""


def card_key(card: FindingCard) -> str:
    """What tells findings of one desk apart."""
    return f"actor/{card.actor}" if card.actor else f"rule/{card.rule}"


def add_card(cards: tuple[FindingCard, ...], card: FindingCard) -> tuple[FindingCard, ...]:
    """With the card at the end if there is room. One that is known keeps its place and the higher of both severities."""
    for index, known in enumerate(cards):
        if card_key(known) == card_key(card):
            rises = card.severity.rank > known.severity.rank
            return (*cards[:index], card, *cards[index + 1 :]) if rises else cards
    return (*cards, card) if len(cards) < MOST_CARDS else cards


def by_severity(cards: Collection[FindingCard]) -> tuple[FindingCard, ...]:
    return tuple(sorted(cards, key=lambda card: -card.severity.rank))


def highest(cards: Collection[FindingCard]) -> Severity:
    return max((card.severity for card in cards), key=lambda severity: severity.rank, default=Severity.LOW)
