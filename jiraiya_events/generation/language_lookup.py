"""Which of the languages we have advice for serves a request best."""

from collections.abc import Container


def lookup(tag: str, available: Container[str], default: str) -> str:
    """Return the longest beginning of `tag` that is available, else `default`.

    `tag` is a well-formed BCP 47 tag in any case, `available` has tags in lower case. This is
    the lookup of RFC 4647, section 3.4: subtags fall off at the end one by one, and one of a
    single letter or digit together with the one it introduces.
    """
    subtags = tag.lower().split("-")
    while subtags:
        found = "-".join(subtags)
        if found in available:
            return found
        subtags.pop()
        if subtags and len(subtags[-1]) == 1:
            subtags.pop()
    return default
