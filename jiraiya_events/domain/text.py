"""Text that can travel: no lone surrogates, which UTF-8 cannot carry."""

from pydantic import AfterValidator


def _refuse_lone_surrogates(text: str) -> str:
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        msg = "must not contain lone surrogates (half of a UTF-16 pair)"
        raise ValueError(msg)
    return text


plain_text = AfterValidator(_refuse_lone_surrogates)
"""A Pydantic annotation that refuses text UTF-8 cannot carry."""
