"""`python -m jiraiya_events`: the same as `jiraiya`."""

from jiraiya_events.cli.app import main

if __name__ == "__main__":
    main()
