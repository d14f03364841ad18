"""The chat template of each choice of audience, language, length and form.

Importing this module imports LangChain, which takes most of a second.
"""

from langchain_core.prompts import ChatPromptTemplate

from jiraiya_events.domain.request import Audience, Length
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.prompt_files import PromptFiles


def chat_template(
    texts: PromptFiles,
    *,
    audience: Audience,
    language: str,
    length: Length,
    form: AnswerForm,
    canary: str,
) -> ChatPromptTemplate:
    """Return the template whose one free variable is `request`, the wish as JSON.

    `language` is a key of `texts.language`. Braces in what is put in mean nothing.
    """
    template = ChatPromptTemplate([("system", texts.system), ("human", "{request}")])
    return template.partial(
        audience=texts.audience[audience],
        language=texts.language[language],
        length=texts.length[length],
        form=texts.form[form],
        canary=canary,
    )
