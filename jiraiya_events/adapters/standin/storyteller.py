"""Stories out of a box of phrases: the same wish always gets the same story.

The parts every story needs come first (opening, trouble, turn, ending, the note that says who
wrote it); meetings with the keywords and interludes then fill it up to the wished length.
Keywords that got no meeting of their own stand together in one sentence, so none is left out.
"""

import hashlib
import random
from dataclasses import dataclass
from typing import Final

from jiraiya_events.adapters.standin.noun import Noun, noun
from jiraiya_events.adapters.standin.phrases import PRONOUNS, phrases
from jiraiya_events.adapters.standin.wish import Wish

# A story stops growing here, as shares of the wished words.
ENOUGH: Final = 0.93
TOO_MUCH: Final = 1.12
LIST_WORDS: Final = 15


@dataclass(frozen=True, slots=True)
class Tale:
    """A title, and paragraphs separated by empty lines."""

    title: str
    content: str


def tell(wish: Wish) -> Tale:
    """Return the story of `wish`, within a fifth of the wished number of words."""
    digest = hashlib.sha256(wish.seed.encode("utf-8", "surrogatepass")).digest()
    dice = random.Random(digest)  # noqa: S311 - prose, nothing secret
    nouns = [noun(keyword) for keyword in wish.keywords]
    cast = _cast(wish, dice)
    title = wish.title or _title(nouns, cast, dice)
    return Tale(title, "\n\n".join(_paragraphs(wish, nouns, cast, dice)))


def _cast(wish: Wish, dice: random.Random) -> dict[str, str]:
    hero, pronoun = dice.choice(phrases().heroes)
    friend = dice.choice(phrases().friends)
    if wish.characters:
        hero, pronoun = wish.characters[0], "they"
    if len(wish.characters) > 1:
        friend = _join(wish.characters[1:])
    they, them, their = PRONOUNS[pronoun]
    name = friend.rpartition(" called ")[2]
    return {
        "hero": hero,
        "friend": name,
        "friend_name": name,
        "friend_full": friend,
        "Friend_full": friend[:1].upper() + friend[1:],
        "place": dice.choice(phrases().places),
        "they": they,
        "They": they.capitalize(),
        "them": them,
        "their": their,
    }


def _title(nouns: list[Noun], cast: dict[str, str], dice: random.Random) -> str:
    chosen = dice.sample(nouns, k=min(2, len(nouns)))
    slots = {**cast, **chosen[0].slots()}
    titles = phrases().titles
    if len(chosen) > 1:
        titles += phrases().pair_titles
        slots |= {"the_other": chosen[1].definite, "a_other": chosen[1].indefinite}
    return _title_case(dice.choice(titles).format_map(slots))


def _title_case(text: str) -> str:
    small = {"a", "an", "and", "the", "of", "about"}
    first, *others = text.split(" ")
    rest = [w if w in small else w[:1].upper() + w[1:] for w in others]
    return " ".join([first[:1].upper() + first[1:], *rest])


def _paragraphs(
    wish: Wish, nouns: list[Noun], cast: dict[str, str], dice: random.Random
) -> list[str]:
    opening = _opening(wish, cast, dice)
    trouble, turn, ending = (
        dice.choice(pool).format_map(cast)
        for pool in (phrases().troubles, phrases().turns, phrases().endings)
    )
    note = phrases().note if wish.in_english else phrases().note_other_language
    room = wish.words - _words(opening, trouble, turn, ending, note)
    fill = _fill(wish, nouns, cast, dice, room)
    half = (len(fill) + 1) // 2
    return [opening, *fill[:half], trouble, *fill[half:], turn, ending, note]


def _opening(wish: Wish, cast: dict[str, str], dice: random.Random) -> str:
    sentences = [dice.choice(phrases().openings).format_map(cast)]
    if wish.genre:
        sentences.insert(0, phrases().shelf.format(genre=wish.genre))
    if wish.tone:
        sentences.append(phrases().mood.format(tone=wish.tone))
    return " ".join(sentences)


def _fill(
    wish: Wish, nouns: list[Noun], cast: dict[str, str], dice: random.Random, room: int
) -> list[str]:
    low = room - round(wish.words * (1 - ENOUGH))
    high = room + round(wish.words * (TOO_MUCH - 1))
    told = _meetings(nouns, cast, dice, high)
    if len(told) < len(nouns):
        told.insert(0, _list(nouns, cast, dice))
    interludes = [phrase.format_map(cast) for phrase in phrases().interludes]
    return _grow(told, dice.sample(interludes, k=len(interludes)), low, high, dice)


def _meetings(nouns: list[Noun], cast: dict[str, str], dice: random.Random, high: int) -> list[str]:
    """Return one scene a keyword, in order, as long as a list of them all would still fit."""
    phrased = dice.sample(phrases().meetings, k=len(phrases().meetings))
    listed = LIST_WORDS + _words(*(each.indefinite for each in nouns))
    told: list[str] = []
    for number, (each, phrase) in enumerate(zip(nouns, phrased, strict=False), start=1):
        scene = phrase.format_map({**cast, **each.slots()})
        if _words(*told, scene) + (0 if number == len(nouns) else listed) > high:
            break
        told.append(scene)
    return told


def _grow(
    told: list[str], interludes: list[str], low: int, high: int, dice: random.Random
) -> list[str]:
    for interlude in interludes:
        if _words(*told) >= low:
            break
        if _words(*told, interlude) <= high:
            told.insert(dice.randint(1, max(1, len(told))), interlude)
    return told


def _list(nouns: list[Noun], cast: dict[str, str], dice: random.Random) -> str:
    things = _join(tuple(each.indefinite for each in nouns))
    return dice.choice(phrases().lists).format_map({**cast, "list": things})


def _join(items: tuple[str, ...]) -> str:
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _words(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)
