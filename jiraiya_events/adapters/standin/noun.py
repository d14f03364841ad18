"""A keyword as English would use it in a sentence: a dragon, the shoes, courage."""

from dataclasses import dataclass
from typing import Final

from jiraiya_events.adapters.standin.phrases import phrases

_ARTICLES: Final = ("a ", "an ", "the ", "my ", "our ", "his ", "her ", "their ", "some ")
_UNCOUNTED_ENDINGS: Final = ("ship", "ness", "ing", "ity", "ism", "ance", "ence", "hood")
_SINGULAR_ENDINGS: Final = ("ss", "us", "is", "as", "os")
_SILENT_H: Final = ("hour", "honest", "heir")
_SOUNDS_LIKE_Y: Final = ("uni", "use", "eu", "one", "ufo")


@dataclass(frozen=True, slots=True)
class Noun:
    """The forms a phrase may ask for; `was` agrees with the number."""

    plain: str
    indefinite: str
    definite: str
    was: str

    def slots(self) -> dict[str, str]:
        """Return the names that phrases use, capitalised ones for the start of a sentence."""
        return {
            "k": self.plain,
            "a": self.indefinite,
            "the": self.definite,
            "A": _capital(self.indefinite),
            "The": _capital(self.definite),
            "was": self.was,
        }


def noun(keyword: str) -> Noun:
    """Return `keyword` with the articles and the verb that fit it."""
    last = keyword.rsplit(maxsplit=1)[-1].lower()
    box = phrases()
    if keyword.lower().startswith(_ARTICLES) or keyword[:1].isupper() or not keyword.isascii():
        return Noun(keyword, keyword, keyword, "was")
    if last in box.uncounted or (last.endswith(_UNCOUNTED_ENDINGS) and last not in box.counted):
        return Noun(keyword, keyword, keyword, "was")
    if last in box.plurals or (last.endswith("s") and not last.endswith(_SINGULAR_ENDINGS)):
        return Noun(keyword, keyword, f"the {keyword}", "were")
    return Noun(keyword, f"{_article(keyword)} {keyword}", f"the {keyword}", "was")


def _article(keyword: str) -> str:
    low = keyword.lower()
    vowel = low.startswith(("a", "e", "i", "o", "u", *_SILENT_H))
    return "an" if vowel and not low.startswith(_SOUNDS_LIKE_Y) else "a"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
