"""A prompt for who needs one and not the real rules."""

from langchain_core.prompts import ChatPromptTemplate

from jiraiya_events.generation.prompt import AnswerForm, Prompt, Rules

_TEMPLATE = ChatPromptTemplate([("user", "{request}")])


def prompt(system_text: str = "", *, canary: str = "") -> Prompt:
    """Return one with these rules in every form."""
    rules = dict.fromkeys(AnswerForm, Rules(_TEMPLATE, system_text))
    return Prompt(rules, "", "v", canary)
