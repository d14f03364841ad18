"""`doctor` tells apart what aiokafka calls "unable to bootstrap", and asks for our rights."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions
from jiraiya_events.adapters.kafka.connection import KafkaConnection
from jiraiya_events.adapters.kafka.topics import apply_topics, topic_specs
from jiraiya_events.contract.topics import Topics
from jiraiya_events.ops.authorization_check import check_authorization
from jiraiya_events.ops.broker_check import check_broker
from jiraiya_events.ops.findings import Finding, Verdict
from jiraiya_events.ops.topics_check import check_topics
from tests.blackbox.service import free_port
from tests.integration.test_secured_kafka import JAAS, make_certificate
from tests.unit.cli.command_line import jiraiya

USER, WORD = "jiraiya", "made-up-for-a-test"
GUARDED = Topics(requested="guarded.in", generated="guarded.out")
SPECS = topic_specs(GUARDED, partitions=1, replication_factor=1, dlq_retention_s=3600)


@pytest_asyncio.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[tuple[KafkaConnection, KafkaConnection]]:
    """Yield an almighty connection without credentials, and one of a user without any right.

    The user comes in through SASL over TLS.
    """
    certificate, both = make_certificate(tmp_path)
    plain, safe, controller = free_port(), free_port(), free_port()
    listeners = f"PLAINTEXT://127.0.0.1:{plain},SAFE://127.0.0.1:{safe}"
    properties = {
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SAFE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.safe.plain.sasl.jaas.config": f'{JAAS} user_{USER}="{WORD}";',
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(both),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    options = EmbeddedKafkaOptions(port=plain, properties=properties, train_startup_cache=False)
    almighty = KafkaConnection(f"127.0.0.1:{plain}")
    user = KafkaConnection(
        f"127.0.0.1:{safe}", "SASL_SSL", "PLAIN", USER, WORD, ssl_cafile=str(certificate)
    )
    async with EmbeddedKafka(options):
        yield almighty, user


def allow_describing(connection: KafkaConnection, topics: Iterable[str]) -> None:
    """Let the user see topics."""
    bindings = [
        AclBinding(
            ResourceType.TOPIC, name, ResourcePatternType.LITERAL,
            f"User:{USER}", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW,
        )
        for name in topics
    ]  # fmt: skip
    admin = AdminClient({"bootstrap.servers": connection.bootstrap_servers, "log_level": 0})
    for future in admin.create_acls(bindings).values():
        future.result(20)


async def only(connection: KafkaConnection) -> Finding:
    (finding,) = await check_broker(connection)
    return finding


async def test_each_reason_for_silence_has_its_own_words_and_remedy(
    guarded: tuple[KafkaConnection, KafkaConnection],
) -> None:
    """Nobody there, no such name, wrong protocol, untrusted, wrong password, wrong mechanism."""
    almighty, user = guarded
    assert (await only(almighty)).verdict is Verdict.OK
    assert (await only(user)).verdict is Verdict.OK
    here = user.bootstrap_servers
    plain = almighty.bootstrap_servers
    cases = {
        "nothing listens": (KafkaConnection("127.0.0.1:1"), "jiraiya broker"),
        "cannot be resolved": (KafkaConnection("no-such-host.invalid:9092"), "spelling"),
        "not trusted": (replace(user, ssl_cafile=None), "JIRAIYA_KAFKA__SSL_CAFILE"),
        "refuses the credentials": (replace(user, sasl_password="x"), "SASL_PASSWORD"),
        "SASL mechanism": (replace(user, sasl_mechanism="SCRAM-SHA-256"), "SASL_MECHANISM"),
        "as PLAINTEXT": (KafkaConnection(here), "SECURITY_PROTOCOL"),
        "as SSL": (KafkaConnection(plain, "SSL"), "SECURITY_PROTOCOL"),
        "does not ask for credentials": (
            replace(user, bootstrap_servers=plain, security_protocol="SASL_PLAINTEXT"),
            "without SASL_",
        ),
        "TLS files": (replace(user, ssl_cafile=__file__), "PEM"),
    }
    for words, (connection, remedy) in cases.items():
        finding = await only(connection)
        assert finding.verdict is Verdict.FAILED, words
        assert words in finding.detail
        assert remedy in finding.mend, words
        assert WORD not in finding.detail + finding.mend


async def test_one_dead_address_among_several_is_a_warning(kafka_bootstrap: str) -> None:
    """Clients get by with the others."""
    well, dead = await check_broker(KafkaConnection(f"127.0.0.1:1,{kafka_bootstrap}"))
    assert well.verdict is Verdict.OK
    assert dead.verdict is Verdict.WARNING
    assert "127.0.0.1:1" in dead.detail


async def test_a_cluster_that_sends_its_clients_astray_is_found_out(tmp_path: Path) -> None:
    """The usual trap of containers: the broker answers and gives an address nobody can reach."""
    port, controller = free_port(), free_port()
    properties = {
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},INNER://127.0.0.1:{free_port()},"
        f"CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},INNER://kafka.invalid:9092",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,INNER:PLAINTEXT,"
        "CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
    }
    inner = int(properties["listeners"].split(",")[1].rsplit(":", 1)[1])
    options = EmbeddedKafkaOptions(port=port, properties=properties, train_startup_cache=False)
    async with EmbeddedKafka(options):
        finding = await only(KafkaConnection(f"127.0.0.1:{inner}"))
    assert finding.verdict is Verdict.FAILED
    assert "kafka.invalid:9092" in finding.detail
    assert "advertised.listeners" in finding.mend


async def test_missing_rights_are_named_one_by_one(
    guarded: tuple[KafkaConnection, KafkaConnection],
) -> None:
    """Read on the inputs and the group, write on the outputs and the transactional ids."""
    almighty, user = guarded
    await apply_topics(almighty, SPECS)
    (well,) = await check_authorization(almighty, "doctors", GUARDED)
    assert well.verdict is Verdict.OK
    findings = await check_authorization(user, "doctors", GUARDED)
    details = " ".join(f.detail for f in findings if f.verdict is Verdict.FAILED)
    for name in ("guarded.in", "guarded.out", "group doctors", "transactions"):
        assert name in details
    assert [f.detail for f in findings if f.verdict is Verdict.WARNING] == [
        f"we may not read the topic {GUARDED.cancelled}, which is optional",
        f"we may not write to the topic {GUARDED.progress}, which is optional",
    ]


async def test_a_missing_topic_is_a_failure_unless_serve_creates_it(kafka_bootstrap: str) -> None:
    """All of them in one line, but for those the service can do without."""
    topics = Topics(requested="absent.in", cancelled="absent.cancelled")
    specs = topic_specs(topics, partitions=1, replication_factor=1, dlq_retention_s=3600)
    connection = KafkaConnection(kafka_bootstrap)
    first, *_ = await check_topics(connection, specs, topics.optional, created_at_start=True)
    assert (first.verdict, "absent.in" in first.detail) == (Verdict.WARNING, True)
    found = await check_topics(connection, specs, topics.optional, created_at_start=False)
    (worst,) = [finding for finding in found if finding.verdict is Verdict.FAILED]
    assert ("absent.in" in worst.detail, "absent.cancelled" in worst.detail) == (True, False)
    (mild,) = [finding for finding in found if "absent.cancelled" in finding.detail]
    assert (mild.verdict, "optional" in mild.mend) == (Verdict.WARNING, True)


async def test_an_optional_topic_we_may_not_see_is_a_warning(
    guarded: tuple[KafkaConnection, KafkaConnection],
) -> None:
    """The rest is examined all the same."""
    almighty, user = guarded
    await apply_topics(almighty, SPECS)
    needed = [spec.name for spec in SPECS if spec.name not in GUARDED.optional]
    allow_describing(almighty, needed)
    found = await check_topics(user, SPECS, GUARDED.optional, created_at_start=False)
    assert {finding.verdict for finding in found} == {Verdict.WARNING}
    assert f"does not let us see the topic {GUARDED.cancelled}" in found[-1].detail


def test_the_command_has_a_line_for_everything(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Something wrong is exit code 1, and the rest is examined all the same."""
    settings = {
        "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": kafka_bootstrap,
        "JIRAIYA_DATA_DIR": str(tmp_path),
        "JIRAIYA_LLM__BASE_URL": "http://127.0.0.1:1/v1",
        "JIRAIYA_LLM__API_KEY": "k",
    }
    ended = jiraiya("doctor", "--json", cwd=tmp_path, settings=settings)
    assert ended.code == 1
    verdicts = {row["subject"]: row["verdict"] for row in ended.rows}
    assert verdicts.keys() == {
        "settings",
        "broker",
        "authorization",
        "topics",
        "store",
        "model",
        "moderation",
    }
    assert (verdicts["broker"], verdicts["store"]) == ("ok", "ok")
    assert verdicts["model"] == "failed"


def test_without_a_broker_the_rest_is_still_examined(tmp_path: Path) -> None:
    """For people: a mark, what is wrong, and how to mend it."""
    settings = {
        "JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "JIRAIYA_DATA_DIR": str(tmp_path),
    }
    ended = jiraiya("doctor", cwd=tmp_path, settings=settings)
    assert ended.code == 1
    assert "✗ broker" in ended.out
    assert "- topics" in ended.out
    assert "✓ store" in ended.out
    assert "→ set JIRAIYA_LLM__API_KEY" in ended.out


@pytest.mark.parametrize("command", [("topics", "plan"), ("request", "moon"), ("tail",)])
def test_every_command_points_to_the_doctor_when_kafka_is_away(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    """One line, exit code 1, none of the library's own lines."""
    settings = {"JIRAIYA_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    ended = jiraiya(*command, cwd=tmp_path, settings=settings)
    assert ended.code == 1
    errors = [line for line in ended.err.splitlines() if not line.startswith("following")]
    assert len(errors) == 1
    assert "jiraiya doctor" in errors[0]
