"""What an examination found, one line a thing."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a thing is; only `failed` makes an examination fail."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and how to mend it where it is not well."""

    subject: str
    verdict: Verdict
    detail: str
    mend: str = ""


def ok(subject: str, detail: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(subject, Verdict.OK, detail)


def warning(subject: str, detail: str, mend: str) -> Finding:
    """Return a finding that may hurt later."""
    return Finding(subject, Verdict.WARNING, detail, mend)


def failed(subject: str, detail: str, mend: str) -> Finding:
    """Return a finding that must be mended."""
    return Finding(subject, Verdict.FAILED, detail, mend)


def skipped(subject: str, detail: str) -> Finding:
    """Return a finding that could not be made."""
    return Finding(subject, Verdict.SKIPPED, detail)
