# ruff: noqa: RUF001 - letters of other scripts are what takes long
"""What a request costs in CPU before its call: the checks of its texts, its prompt, its price."""

import time
from collections.abc import Callable

from bench.broker import story_request
from bench.measurement import Goal, Measurement
from jiraiya_events.adapters.llm.prices import Prices
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.prompt_book import PromptBook, output_tokens
from jiraiya_events.generation.safety.input_check import Refused, check_request
from jiraiya_events.generation.spending import input_tokens_at_most

ALLOWED_S = 1e-3
MODEL = "gpt-4o-mini"
USAGE = Usage(input_tokens=1_000, output_tokens=300)
LIGHT = StoryRequested.model_validate(story_request(1, "user-1"))
KEYWORDS = StoryRequested(
    user_id="user-1",
    keywords=[
        *("лис", "сніг", "маяк", "ніч", "зоря", "кіт", "ріка", "міст", "човен", "вітер"),
        *("дуб", "сова", "гора", "тінь", "хвиля", "вікно", "сад", "дім", "ліс", "місяць"),
    ],
    language="uk",
)
# Nearly as long as the schema allows.
LONGEST = StoryRequested(
    user_id="user-1",
    keywords=[
        f"маяк на скалі {number} — світло, туман і крик чайок над морем" for number in range(20)
    ],
    characters=[f"Соломія {number}, доглядачка старого маяка" for number in range(8)],
    title="Казка про маяк, який навчився говорити з човнами",
    genre="чарівна казка",
    tone="тепло й трохи сумно",
    instructions=("Нехай чайка двічі помиляється, а потім усе-таки знаходить дорогу. " * 8)[:500],
    language="uk",
)


async def measure(bootstrap: str, *, quick: bool) -> list[Measurement]:
    """Prepare the same requests over and over; ratios are seconds of CPU ÷ those allowed."""
    del bootstrap  # No broker takes part.
    count = 500 if quick else 2_000
    cases = {"light": LIGHT, "keywords": KEYWORDS, "longest": LONGEST}
    return [_case(case, request, count) for case, request in cases.items()]


def _case(case: str, request: StoryRequested, count: int, rounds: int = 5) -> Measurement:
    book, prices = PromptBook(), Prices()
    checked = _checked(request)
    texts = [message.text for message in book.render(checked).messages()]

    def price() -> None:
        prices.upper_bound_pico_usd(MODEL, input_tokens_at_most(texts), output_tokens(request))
        prices.cost_pico_usd(MODEL, USAGE)

    steps: dict[str, Callable[[], object]] = {
        "checks of the texts": lambda: _checked(request),
        "prompt": lambda: book.render(checked).messages(),
        "prices": price,
    }
    took = {name: [_cpu_s(step, count) for _ in range(rounds)] for name, step in steps.items()}
    detail = {f"{name}, CPU µs": [round(s * 1e6, 1) for s in each] for name, each in took.items()}
    what = (
        "CPU of checking the texts of a request, rendering its prompt and looking its prices up "
        f"÷ {ALLOWED_S * 1000:g} ms"
    )
    ratios = [sum(parts) / ALLOWED_S for parts in zip(*took.values(), strict=True)]
    return Measurement("prompt", case, what, Goal("at most", 1.0), ratios, rounds * count, detail)


def _checked(request: StoryRequested) -> StoryRequested:
    checked = check_request(request)
    assert not isinstance(checked, Refused)
    return checked


def _cpu_s(step: Callable[[], object], count: int) -> float:
    """Return the seconds of CPU one `step` takes."""
    before = time.process_time()
    for _ in range(count):
        step()
    return (time.process_time() - before) / count
