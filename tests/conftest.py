"""What every test may ask for; nothing here starts anything by itself."""

from hypothesis import settings

pytest_plugins = ["tests.kafka_broker", "tests.redis_server"]

# A busy machine is no finding: how fast things are is measured in bench/.
settings.register_profile("jiraiya", deadline=None)
settings.load_profile("jiraiya")
