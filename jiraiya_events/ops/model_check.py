"""Do the model endpoints answer, with our keys, have they our models, and in which form?

The lists of models are free. Every configured model is then called once with a limit of a few
tokens, which costs next to nothing, as only a call shows whether it knows structured output.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Final, Protocol

from jiraiya_events.adapters.llm.options import Account, FormChoice, LlmOptions, Route
from jiraiya_events.domain.codes import ErrorCode
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.classification import of_fault
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.ports import ModelPort
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.prompt_book import PromptBook
from jiraiya_events.ops.findings import Finding, failed, ok, skipped, warning

MODEL: Final = "model"
TRIAL_TOKENS: Final = 16
TRIAL_TIMEOUT_S: Final = 30.0

_TRIAL: Final = StoryRequested(user_id="doctor", keywords=["lantern"])

_FORM: Final = "JIRAIYA_LLM__ANSWER_FORM"
_FALLBACKS: Final = "JIRAIYA_LLM__FALLBACK_MODELS"
_MAIN: Final = {
    "model": "JIRAIYA_LLM__MODEL",
    "base_url": "JIRAIYA_LLM__BASE_URL",
    "api_key": "JIRAIYA_LLM__API_KEY (or OPENAI_API_KEY)",
}
_FORBIDDEN: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_NOT_UNDERSTOOD: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
_REAL_ONE: Final = "send a real request: `jiraiya request lantern --wait`"


class TriedModel(ModelPort, Protocol):
    """The model adapter, which also knows what an endpoint lists."""

    async def models_of(self, account: Account) -> frozenset[str] | Fault:
        """Return the listed models, none when there is no list, or why it does not answer."""
        ...


OpenModel = Callable[[], AbstractAsyncContextManager[TriedModel]]


async def check_models(options: LlmOptions, open_model: OpenModel) -> list[Finding]:
    """Ask every endpoint for its models, and every configured model for the start of a story."""
    try:
        options.key()
    except SettingsError:
        mend = "set JIRAIYA_LLM__API_KEY or OPENAI_API_KEY (to any text when none is needed)"
        return [failed(MODEL, "no key is set", mend)]
    findings: list[Finding] = []
    async with open_model() as model:
        for account in options.accounts:
            listed = await model.models_of(account)
            routes = [route for route in options.routes if route.account == account]
            if isinstance(listed, Fault):
                findings.append(_of_fault(account.place, routes[0], options, listed))
                findings.extend(skipped(MODEL, f"{one.name}: not asked") for one in routes[1:])
                continue
            for route in routes:
                findings.append(_of_list(route, options, listed))
                if not listed or route.model in listed:
                    findings.append(await _try_out(model, route, options))
    return findings


def _of_list(route: Route, options: LlmOptions, listed: frozenset[str]) -> Finding:
    place = route.account.place
    if not listed:
        return ok(MODEL, f"{place} answers; it keeps no list of its models")
    if route.model in listed:
        return ok(MODEL, f"{place} answers and offers {route.model}")
    setting = _setting(route, options, "model")
    return failed(MODEL, f"{place} has no model {route.model}", f"set {setting} to one it lists")


async def _try_out(model: TriedModel, route: Route, options: LlmOptions) -> Finding:
    try:
        answer = await model.complete(
            PromptBook().render(_TRIAL),
            model=route.name,
            max_output_tokens=TRIAL_TOKENS,
            timeout_s=min(options.timeout_s, TRIAL_TIMEOUT_S),
        )
    except CallFault as error:
        return _of_fault(route.name, route, options, error.fault)
    return _of_answer(route.name, answer, options.answer_form)


def _of_answer(name: str, answer: ModelAnswer, choice: FormChoice) -> Finding:
    if choice is FormChoice.TEXT:
        return ok(MODEL, f"{name} answers; the text form is used, as {_FORM} says")
    if answer.form is AnswerForm.TEXT:
        return ok(MODEL, f"{name} answers; structured output: no, the text form is used")
    if answer.text and not answer.text.lstrip(" \t\r\n`json\ufeff").startswith("{"):
        detail = f"{name} accepts a schema for its answer and does not keep to it"
        return warning(MODEL, detail, f"set {_FORM}=text")
    return ok(MODEL, f"{name} answers; structured output: yes")


def _of_fault(subject: str, route: Route, options: LlmOptions, fault: Fault) -> Finding:
    if fault.kind is not FaultKind.HTTP:
        address = _setting(route, options, "base_url")
        mend = f"check {address}, the network and the proxy"
        return failed(MODEL, f"{subject} cannot be reached ({fault.kind})", mend)
    if of_fault(fault).code is ErrorCode.PROVIDER_QUOTA:
        detail = f"{subject} answers that the account is used up"
        return failed(MODEL, detail, "look at the plan and the bill at the provider")
    if fault.status in _FORBIDDEN:
        key = _setting(route, options, "api_key")
        return failed(MODEL, f"{subject} refuses the key", f"set {key} to a valid one")
    if fault.status == HTTPStatus.NOT_FOUND:
        setting, address = (_setting(route, options, part) for part in ("model", "base_url"))
        mend = f"set {setting} to a model it has, and {address} up to its /v1"
        return failed(MODEL, f"{subject} is not there: {fault.detail}", mend)
    return _of_trial(subject, options, fault)


def _of_trial(subject: str, options: LlmOptions, fault: Fault) -> Finding:
    detail = f"{subject} did not take a call of {TRIAL_TOKENS} tokens: {fault.detail}"
    if fault.status not in _NOT_UNDERSTOOD:
        return warning(MODEL, detail, _REAL_ONE)
    if options.answer_form is FormChoice.JSON:
        return failed(MODEL, detail, f"set {_FORM}=auto, or text")
    mend = f"real requests would be refused as well: mend what it says, or try {_FORM}=text"
    return failed(MODEL, detail, mend)


def _setting(route: Route, options: LlmOptions, part: str) -> str:
    """Return what an operator has to change: a setting, or a part of a fallback."""
    is_main = route == options.routes[0] if part == "model" else route.account == options.main
    return _MAIN[part] if is_main else f"the {part} of {route.model} in {_FALLBACKS}"
