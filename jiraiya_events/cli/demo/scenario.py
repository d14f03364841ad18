"""What the demo asks for: a few users with several wishes each, and two mistakes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

from jiraiya_events.client.requests import request_body
from jiraiya_events.domain.request import Audience, Length, StoryRequested

WISHES: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    ("ann", ("lighthouse", "fox"), "adventure", "cheerful"),
    ("ben", ("dragon", "teapot"), "fairy tale", "funny"),
    ("cho", ("snow", "violin"), "mystery", "quiet"),
    ("ann", ("whale", "umbrella"), "fairy tale", "warm"),
    ("dee", ("robot", "garden"), "science fiction", "gentle"),
    ("ben", ("pirate", "library"), "adventure", "lively"),
    ("eli", ("moon", "bakery"), "bedtime story", "dreamy"),
    ("cho", ("owl", "train"), "mystery", "tense"),
    ("dee", ("seed", "storm"), "fable", "hopeful"),
    ("ann", ("clock", "forest"), "mystery", "warm"),
    ("eli", ("kite", "giant"), "fairy tale", "brave"),
    ("ben", ("turtle", "drum"), "fable", "silly"),
)

NO_KEYWORDS = ("eli", {"user_id": "eli", "keywords": []})
NOT_JSON = b'{"user_id": "ben", "keywords": ["half a'


@dataclass(frozen=True, slots=True)
class Wish:
    """One request of the demo: who asks, what it is about in words, and its bytes."""

    user: str
    about: str
    body: bytes


def scenario(count: int) -> list[Wish]:
    """Return `count` wishes; from five on, two of them are mistakes on purpose."""
    wishes = list(islice(_good(), count))
    if count >= 5:  # noqa: PLR2004 - fewer would be mostly mistakes
        user, wrong = NO_KEYWORDS
        wishes[3] = Wish(user, "no keywords at all", json.dumps(wrong).encode())
        wishes[-1] = Wish("ben", "half a JSON document", NOT_JSON)
    return wishes


def _good() -> Iterator[Wish]:
    for number, (user, keywords, genre, tone) in enumerate(cycle(WISHES)):
        request = StoryRequested(
            user_id=user,
            keywords=list(keywords),
            genre=genre,
            tone=tone,
            audience=Audience.CHILDREN,
            length=Length.SHORT,
            metadata={"number": str(number)},
        )
        yield Wish(user, " and ".join(keywords), request_body(request))
