"""The provider's moderation over real HTTP, against an endpoint that answers by a script."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from pydantic import SecretStr

from jiraiya_events.adapters.llm.deferred import DeferredModeration
from jiraiya_events.adapters.llm.moderation import CHILDREN_LIMIT, ProviderModeration
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.domain.errors import SettingsError
from jiraiya_events.domain.request import Audience
from jiraiya_events.generation.faults import CallFault, FaultKind
from jiraiya_events.testing.faults import Fault
from jiraiya_events.testing.faulty_calls import FaultyEndpoint
from jiraiya_events.testing.faulty_endpoint import serve_faulty
from tests.blackbox.service import refused_port

CHILDREN, TEENS, ADULTS = Audience.CHILDREN, Audience.TEENS, Audience.ADULTS


@pytest.fixture
async def endpoint() -> AsyncIterator[FaultyEndpoint]:
    """An endpoint that flags texts with the word knife."""
    async with serve_faulty() as served:
        served.configure(flagged_words=["knife"])
        yield served


@pytest.fixture
async def moderation(endpoint: FaultyEndpoint) -> AsyncIterator[ProviderModeration]:
    """A client of it that waits for longer than any machine stands still."""
    made = ProviderModeration(options(endpoint.base_url), timeout_s=30.0)
    yield made
    await made.aclose()


def options(base_url: str, key: str | None = "sk-test-key") -> LlmOptions:
    """Return the way to the endpoint."""
    api_key = None if key is None else SecretStr(key)
    return LlmOptions(api_key=api_key, model="some", base_url=base_url)


@pytest.mark.parametrize("audience", Audience)
async def test_what_the_provider_flags_is_flagged_for_everybody(
    moderation: ProviderModeration, audience: Audience
) -> None:
    """Proves the plain answer both ways."""
    assert await moderation.flagged("a knife and a fox", audience) == {"violence"}
    assert not await moderation.flagged("a fork, a fox \u2764\ufe0f", audience)


async def test_for_children_a_score_is_enough(
    endpoint: FaultyEndpoint, moderation: ProviderModeration
) -> None:
    """Proves the stricter rule, its limit, and that it is the rule when nobody says for whom."""
    endpoint.configure(moderation_scores={"violence/graphic": CHILDREN_LIMIT})
    assert await moderation.flagged("a fox", CHILDREN) == {"violence/graphic"}
    assert await moderation.flagged("a fox")
    assert not await moderation.flagged("a fox", TEENS)
    assert not await moderation.flagged("a fox", ADULTS)
    endpoint.configure(moderation_scores={"violence/graphic": CHILDREN_LIMIT - 0.01})
    assert not await moderation.flagged("a fox", CHILDREN)


async def test_a_slain_dragon_is_left_to_the_provider(
    endpoint: FaultyEndpoint, moderation: ProviderModeration
) -> None:
    """Proves that plain violence has no limit of ours."""
    endpoint.configure(moderation_scores={"violence": 0.9, "harassment": 0.9})
    assert not await moderation.flagged("a dragon", CHILDREN)


@pytest.mark.parametrize(
    ("fault", "kind", "status"),
    [
        (Fault.RATE_LIMIT, FaultKind.HTTP, 429),
        (Fault.ERROR_500, FaultKind.HTTP, 500),
        (Fault.UNAUTHORIZED, FaultKind.HTTP, 401),
        (Fault.HTML, FaultKind.BAD_BODY, None),
        (Fault.ERROR_BODY, FaultKind.BAD_BODY, None),
        (Fault.DROP_BEFORE_HEADERS, FaultKind.DROPPED, None),
    ],
)
async def test_a_call_without_a_judgement_is_a_fault_and_is_not_repeated(
    endpoint: FaultyEndpoint,
    moderation: ProviderModeration,
    fault: Fault,
    kind: FaultKind,
    status: int | None,
) -> None:
    """Proves that nothing passes unseen, and that trying again is not this client's business."""
    endpoint.configure(moderation_script=[fault])
    with pytest.raises(CallFault) as caught:
        await moderation.flagged("a secret wish", CHILDREN)
    assert (caught.value.fault.kind, caught.value.fault.status) == (kind, status)
    assert "secret" not in str(caught.value)
    assert "sk-test" not in str(caught.value)
    assert endpoint.stats.moderations == 1
    assert not await moderation.flagged("a fox", CHILDREN)


async def test_silence_is_a_time_out(endpoint: FaultyEndpoint) -> None:
    """Proves that the bound given to the client is the one that counts."""
    endpoint.configure(moderation_script=[Fault.HANG])
    impatient = ProviderModeration(options(endpoint.base_url), timeout_s=0.5)
    with pytest.raises(CallFault) as caught:
        await impatient.flagged("a secret wish", CHILDREN)
    await impatient.aclose()
    assert (caught.value.fault.kind, caught.value.fault.status) == (FaultKind.TIMEOUT, None)
    assert "secret" not in str(caught.value)
    assert "sk-test" not in str(caught.value)


async def test_a_provider_that_repeats_the_text_fills_no_log_with_it() -> None:
    """Proves that neither wish, nor story, nor key is in the fault."""

    async def repeat(request: web.Request) -> web.Response:
        said, key = (await request.json())["input"], request.headers["Authorization"]
        return web.json_response({"error": {"message": f"{key}: not {said}?"}}, status=400)

    app = web.Application()
    app.router.add_post("/v1/moderations", repeat)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    moderation = ProviderModeration(options(address, "sesame"), timeout_s=30.0)
    with pytest.raises(CallFault) as caught:
        await moderation.flagged("a fox and a hen at night")
    await moderation.aclose()
    await runner.cleanup()
    assert caught.value.fault.detail == "400 Bearer ***: not …?"


async def test_an_endpoint_that_is_gone_is_a_fault() -> None:
    """Proves the kind for a refused connection."""
    with refused_port() as port:
        moderation = ProviderModeration(options(f"http://127.0.0.1:{port}/v1"), timeout_s=30.0)
        with pytest.raises(CallFault) as caught:
            await moderation.flagged("a fox")
    assert caught.value.fault.kind is FaultKind.REFUSED
    await moderation.aclose()


async def test_the_client_is_made_when_it_is_loaded(endpoint: FaultyEndpoint) -> None:
    """Proves that the deferred one says so when it is used too early, and then answers alike."""
    deferred = DeferredModeration(options(endpoint.base_url))
    with pytest.raises(RuntimeError, match="before it was loaded"):
        await deferred.flagged("a fox")
    await deferred.load()
    assert await deferred.flagged("a knife", ADULTS)
    await deferred.aclose()


def test_a_missing_key_is_said_before_anything_starts() -> None:
    """Proves that it is a wrong setting, not a fault of the provider."""
    with pytest.raises(SettingsError):
        DeferredModeration(options("http://127.0.0.1:9/v1", key=None))
