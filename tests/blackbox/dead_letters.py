"""The examiner's look at dead letters: exactly those the table asks for, with every byte."""

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256

from tests.blackbox.codes import CODES
from tests.blackbox.expected import is_credential
from tests.blackbox.messages import Seen

Position = tuple[int, int]

_HEADERS = (
    "x-dlq-topic", "x-dlq-partition", "x-dlq-offset", "x-dlq-timestamp", "x-dlq-error-code",
    "x-dlq-error-message", "x-dlq-tries", "x-dlq-failed-at", "x-dlq-service-version",
    "x-dlq-replay-count",
)  # fmt: skip


def dead_letter_problems(
    requests: Mapping[Position, Seen], failed: Iterable[Seen], letters: Iterable[Seen]
) -> list[str]:
    """Compare the dead letters with the failures that announce them and with their requests."""
    problems: list[str] = []
    announced: dict[Position, Seen] = {}
    for event in failed:
        problems += _announcement_problems(event, requests.get(event.request))
        reference = event.body["dlq_reference"]
        if reference is not None:
            # A resend of a dead-lettered request points at the first one's dead letter.
            _, partition, offset = reference.rsplit("/", 2)
            announced.setdefault((int(partition), int(offset)), event)
    counts = Counter(_origin(letter) for letter in letters)
    problems += [f"{p}: announced, but no dead letter" for p in announced if not counts[p]]
    problems += [f"{p}: a dead letter nobody announced" for p in counts if p not in announced]
    problems += [f"{p}: {n} dead letters" for p, n in counts.items() if n > 1]
    for letter in letters:
        where = f"dead letter of {_origin(letter)}"
        request, announcement = requests.get(_origin(letter)), announced.get(_origin(letter))
        if request is not None and announcement is not None:
            found = _header_problems(letter, request, announcement)
            found += _byte_problems(letter, request)
            problems += [f"{where}: {problem}" for problem in found]
    return problems


def _announcement_problems(event: Seen, request: Seen | None) -> list[str]:
    body = event.body
    code = body["error"]["code"]
    rule = CODES.get(code)
    if rule is None:
        return [f"{event.request}: unknown code {code}"]
    problems = []
    dead = rule.dead_letter or body["attempt"] > 1
    if body["error"]["retryable"] is not rule.retryable:
        problems.append(f"{event.request}: {code} with retryable {body['error']['retryable']}")
    if body["dead_lettered"] is not dead:
        problems.append(f"{event.request}: {code} with dead_lettered {body['dead_lettered']}")
    if dead != (body["dlq_reference"] is not None):
        problems.append(f"{event.request}: {code} with reference {body['dlq_reference']}")
    if dead and request and not str(body["dlq_reference"]).startswith(f"{request.topic}/"):
        problems.append(f"{event.request}: {body['dlq_reference']} names another topic")
    return problems


def _header_problems(letter: Seen, request: Seen, event: Seen) -> list[str]:
    problems = [f"no header {name}" for name in _HEADERS if letter.header(name) is None]
    wanted = {
        "x-dlq-topic": request.topic,
        "x-dlq-timestamp": str(request.timestamp_ms),
        "x-dlq-error-code": event.body["error"]["code"],
        "x-dlq-tries": str(event.body["tries"]),
        "x-dlq-replay-count": str(event.body["attempt"] - 1),
    }
    for name, text in wanted.items():
        if letter.header(name) != text:
            problems.append(f"{name} is {letter.header(name)!r}, not {text!r}")
    return problems


def _byte_problems(letter: Seen, request: Seen) -> list[str]:
    problems = []
    if letter.key != request.key:
        problems.append(f"key {letter.key!r} instead of {request.key!r}")
    if letter.header("x-dlq-truncated") == "true":
        value = request.value or b""
        told = (letter.header("x-dlq-size"), letter.header("x-dlq-sha256"))
        if letter.value is not None or told != (str(len(value)), sha256(value).hexdigest()):
            problems.append(f"truncated wrongly: {told}")
    elif letter.value != request.value:
        problems.append("other bytes than the request's")
    kept = [h for h in letter.headers if not h[0].lower().startswith("x-dlq-")]
    wanted = [
        header
        for header in request.headers
        if not header[0].lower().startswith("x-dlq-") and not is_credential(header[0])
    ]
    if kept != wanted and letter.header("x-dlq-headers-dropped") != "true":
        problems.append(f"headers {kept} instead of {wanted}")
    return problems


def _origin(letter: Seen) -> Position:
    partition, offset = letter.header("x-dlq-partition"), letter.header("x-dlq-offset")
    return int(partition or -1), int(offset or -1)
