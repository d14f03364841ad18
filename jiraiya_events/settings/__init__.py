"""Settings: read once, checked as a whole, frozen, and passed on as plain values.

The strongest source wins: the environment, then `.env` in the working directory, then files in
the secrets directory, then the default. `JIRAIYA_LLM__API_KEY` from any of them wins over
`OPENAI_API_KEY` from any of them. A name that looks like ours and is not is a warning, because
another release may know it; a feature this version lacks is an error, because somebody relies
on it.
"""

from jiraiya_events.settings.effective import Origin, effective, secret_values
from jiraiya_events.settings.load import WrongSettings, load_settings
from jiraiya_events.settings.model import Settings

__all__ = ["Origin", "Settings", "WrongSettings", "effective", "load_settings", "secret_values"]
