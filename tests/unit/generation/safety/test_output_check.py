"""Whether a story gives our rules away, or is unfit for its readers."""

import base64
import codecs

import pytest
from structlog.testing import capture_logs

from jiraiya_events.domain.request import Audience, StoryRequested
from jiraiya_events.generation.answer import Draft
from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.prompt_book import PromptBook
from jiraiya_events.generation.safety.leak import leaks
from jiraiya_events.generation.safety.output_check import check_draft

CANARY = "4f8a2c9d01ee"
REQUEST = StoryRequested(user_id="u", keywords=["a fox"])
PROMPT = PromptBook(canary=CANARY).render(REQUEST)
SYSTEM = PROMPT.system_text(AnswerForm.JSON)
TALE = "The fox went down to the harbour and looked at the boats for a while."


def flaw(title: str = "The Fox", content: str = TALE) -> Flaw | None:
    """Check a draft for children."""
    return check_draft(Draft(title, content), REQUEST, PROMPT)


def test_a_tale_passes() -> None:
    """Proves that nothing is found where nothing is."""
    assert flaw() is None


@pytest.mark.parametrize(
    "spelling",
    [
        CANARY,
        CANARY.upper(),
        " ".join(CANARY),
        "-".join(CANARY),
        ", ".join(CANARY),
        '"' + '", "'.join(CANARY) + '"',
        "\u200b".join(CANARY),
        CANARY[::-1],
        codecs.encode(CANARY, "rot13"),
        CANARY.encode().hex(),
        base64.b64encode(CANARY.encode()).decode(),
        base64.b64encode(f"my canary is {CANARY}, yes".encode()).decode(),
        base64.b64encode(f"canary is {CANARY}, yes".encode()).decode(),
        base64.b64encode(f"a canary is {CANARY}, yes".encode()).decode(),
    ],
)
def test_the_canary_is_found_in_title_and_text_however_it_is_spelled(spelling: str) -> None:
    """Proves that the usual ways to carry it out are closed."""
    assert flaw(title=f"The {spelling}") is Flaw.LEAKED
    assert flaw(content=f"{TALE} It sang {spelling}!") is Flaw.LEAKED


@pytest.mark.parametrize("form", AnswerForm)
def test_eight_words_of_the_system_text_in_a_row_are_a_leak(form: AnswerForm) -> None:
    """Proves it wherever they stand and whatever is between them."""
    words = PROMPT.system_text(form).partition(CANARY)[0].split()
    for start in range(0, len(words) - 16, 7):
        row = " -- ".join(words[start : start + 12]).upper()
        assert flaw(content=f"{TALE} {row} {TALE}") is Flaw.LEAKED, row


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\u2060", "_"])
def test_signs_nobody_sees_hide_no_words(sign: str) -> None:
    """Proves it for the whole system text with one such sign in or between its words."""
    words = SYSTEM.replace(CANARY, "").split()
    hidden = sign.join(words) if sign == "_" else " ".join(f"{w[0]}{sign}{w[1:]}" for w in words)
    assert flaw(content=hidden) is Flaw.LEAKED


def test_seven_words_in_a_row_may_be_chance() -> None:
    """Proves where the line is."""
    system = "one two three four five six seven eight nine ten"
    assert not leaks("he said one two three four five six seven and slept", (system,), "")
    assert leaks("he said one two three four five six seven eight", (system,), "")
    assert not leaks("ten nine eight seven six five four three two one", (system,), "")


def test_vowel_signs_do_not_cut_words_to_pieces() -> None:
    """Proves that ordinary Hindi is no leak of a Hindi prompt, and a copy of it is."""
    system = "कहानी सरल शब्दों में लिखो और हर वाक्य छोटा रखो"
    assert not leaks("नाम, खाना, मौसम और त्योहार", (system,), "")
    assert leaks(f"उसने कहा: {system}", (system,), "")


def test_the_user_s_own_words_are_no_leak() -> None:
    """Proves that only the system text is secret."""
    wish = "the long and winding wish of a user who likes foxes a lot"
    request = StoryRequested(user_id="u", keywords=["k"], instructions=wish)
    prompt = PromptBook(canary=CANARY).render(request)
    assert check_draft(Draft("T", wish), request, prompt) is None


def test_unfit_for_children_is_fit_for_adults() -> None:
    """Proves that the request's audience decides, and that the title counts."""
    draft = Draft("They had sex", TALE)
    adults = REQUEST.model_copy(update={"audience": Audience.ADULTS})
    assert check_draft(draft, REQUEST, PROMPT) is Flaw.UNFIT
    assert check_draft(draft, adults, PROMPT) is None


def test_the_log_names_the_rules_and_never_the_words() -> None:
    """Proves what an operator has, of both kinds of story that do not pass."""
    with capture_logs() as lines:
        flaw(content="They had sex, said the bastard.")
        flaw(content=f"It sang {CANARY}!")
    assert [(line["event"], line["flaw"], line["rules"]) for line in lines] == [
        ("a story did not pass", "unfit", ["abuse.harsh", "sex.acts.en"]),
        ("a story did not pass", "leaked", []),
    ]
    assert "bastard" not in str(lines)
    assert CANARY not in str(lines)
