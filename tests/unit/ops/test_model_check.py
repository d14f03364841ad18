"""The doctor's check of the model endpoints, with a fake of the model adapter."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from pydantic import SecretStr

from jiraiya_events.adapters.llm.options import Account, Fallback, FormChoice, LlmOptions
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import AnswerForm, Prompt
from jiraiya_events.ops.findings import Finding, Verdict
from jiraiya_events.ops.model_check import TRIAL_TOKENS, check_models

ONE = LlmOptions(SecretStr("k"), "m", base_url="http://models.example:8/v1")
OTHER = Fallback("n", "http://other.example/v1", SecretStr("sesame"))
TWO = replace(ONE, fallbacks=(OTHER, Fallback("m", OTHER.base_url, OTHER.api_key)))


@dataclass
class FakeModel:
    """Lists and answers as it is told; everything is well unless it says otherwise."""

    listed: frozenset[str] | Fault = frozenset({"m", "n"})
    answer: ModelAnswer | Fault = field(default_factory=lambda: said('{"title'))
    tried: list[tuple[str, int | None]] = field(default_factory=list)

    async def models_of(self, account: Account) -> frozenset[str] | Fault:
        return self.listed

    async def complete(
        self,
        prompt: Prompt,
        *,
        model: str,
        max_output_tokens: int | None,
        timeout_s: float,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelAnswer:
        self.tried.append((model, max_output_tokens))
        if isinstance(self.answer, Fault):
            raise CallFault(self.answer)
        return self.answer

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["FakeModel"]:
        yield self


def said(text: str, form: AnswerForm = AnswerForm.JSON) -> ModelAnswer:
    """Return the beginning of an answer."""
    return ModelAnswer(text, "length", None, None, "m", "p", form)


def http(status: int, code: str | None = None) -> Fault:
    """Return a fault with a status."""
    return Fault(FaultKind.HTTP, status, code, detail=f"{status} words")


async def examined(model: FakeModel, options: LlmOptions = ONE) -> list[Finding]:
    """Return what the check finds."""
    return await check_models(options, model.opened)


async def test_every_candidate_is_tried_once_and_costs_a_few_tokens() -> None:
    model = FakeModel()
    findings = await examined(model, TWO)
    assert model.tried == [(name, TRIAL_TOKENS) for name in ("m", "n", "m@2")]
    assert {finding.verdict for finding in findings} == {Verdict.OK}
    assert [finding.detail for finding in findings[:2]] == [
        "models.example:8 answers and offers m",
        "m answers; structured output: yes",
    ]


async def test_without_a_key_nothing_is_asked() -> None:
    model = FakeModel()
    (finding,) = await examined(model, replace(ONE, api_key=None))
    assert (finding.verdict, model.tried) == (Verdict.FAILED, [])
    assert "OPENAI_API_KEY" in finding.mend


FORMS = [
    (FormChoice.AUTO, said("T", AnswerForm.TEXT), Verdict.OK, "structured output: no", ""),
    (FormChoice.TEXT, said("T", AnswerForm.TEXT), Verdict.OK, "ANSWER_FORM says", ""),
    (FormChoice.AUTO, said("```json\n{"), Verdict.OK, "structured output: yes", ""),
    (FormChoice.AUTO, said(""), Verdict.OK, "structured output: yes", ""),
    (FormChoice.AUTO, said("Once upon"), Verdict.WARNING, "does not keep to it", "=text"),
    (FormChoice.JSON, http(400), Verdict.FAILED, "400 words", "ANSWER_FORM=auto"),
    (FormChoice.AUTO, http(400), Verdict.FAILED, "400 words", "real requests would be"),
    (FormChoice.TEXT, http(422), Verdict.FAILED, "422 words", "real requests would be"),
]


@pytest.mark.parametrize(("choice", "answer", "verdict", "detail", "mend"), FORMS)
async def test_it_tells_whether_structured_output_works(
    choice: FormChoice, answer: ModelAnswer | Fault, verdict: Verdict, detail: str, mend: str
) -> None:
    model = FakeModel(answer=answer)
    *_, finding = await examined(model, replace(ONE, answer_form=choice))
    assert finding.verdict is verdict
    assert detail in finding.detail
    assert mend in finding.mend


FAULTS = [
    (Fault(FaultKind.REFUSED), Verdict.FAILED, "JIRAIYA_LLM__BASE_URL", "the base_url of n in"),
    (http(401), Verdict.FAILED, "JIRAIYA_LLM__API_KEY", "the api_key of n in"),
    (http(403), Verdict.FAILED, "OPENAI_API_KEY", "the api_key of n in"),
    (http(404), Verdict.FAILED, "JIRAIYA_LLM__MODEL", "the model of n in"),
    (http(404), Verdict.FAILED, "JIRAIYA_LLM__BASE_URL up to its /v1", "the base_url of n in"),
    (http(429, "insufficient_quota"), Verdict.FAILED, "the bill", "the bill"),
    (http(503), Verdict.WARNING, "jiraiya request", "jiraiya request"),
]


@pytest.mark.parametrize(("fault", "verdict", "main", "fallback"), FAULTS)
async def test_every_fault_of_a_trial_has_its_next_step(
    fault: Fault, verdict: Verdict, main: str, fallback: str
) -> None:
    findings = await examined(FakeModel(answer=fault), TWO)
    tried = [finding for finding in findings if "answers and offers" not in finding.detail]
    assert [finding.verdict for finding in tried] == [verdict] * 3
    assert main in tried[0].mend
    assert fallback in tried[1].mend


async def test_an_endpoint_that_does_not_answer_is_not_asked_for_stories() -> None:
    model = FakeModel(listed=http(401))
    findings = await examined(model, TWO)
    verdicts = [finding.verdict for finding in findings]
    assert verdicts == [Verdict.FAILED, Verdict.FAILED, Verdict.SKIPPED]
    assert model.tried == []
    assert "other.example refuses the key" in findings[1].detail


async def test_a_model_that_is_not_listed_is_not_tried() -> None:
    model = FakeModel(listed=frozenset({"n"}))
    findings = await examined(model, TWO)
    assert model.tried == [("n", TRIAL_TOKENS)]
    assert "JIRAIYA_LLM__MODEL to one it lists" in findings[0].mend
    assert "the model of m in JIRAIYA_LLM__FALLBACK_MODELS" in findings[-1].mend


async def test_where_no_list_is_kept_the_trial_decides() -> None:
    listed, tried = await examined(FakeModel(listed=frozenset()))
    assert "keeps no list" in listed.detail
    assert tried.verdict is Verdict.OK


async def test_no_key_shows_in_any_finding() -> None:
    check = partial(examined, options=TWO)
    shown = repr([await check(FakeModel(answer=fault)) for fault, *_ in FAULTS])
    assert "sesame" not in shown
