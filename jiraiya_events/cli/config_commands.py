"""`jiraiya config show` and `jiraiya config check`."""
# ruff: noqa: PLC0415 - each command imports what it works with, so that `--help` is quick

import typer

from jiraiya_events.cli.output import Json, emit, note, print_table
from jiraiya_events.cli.session import settings_of_this_process


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="The settings in force, and whether they work.")
    group.command("show")(show)
    group.command("check")(check)
    app.add_typer(group, name="config")


def show(*, json: Json = False) -> None:
    """List every setting with its value, secrets masked, and where the value comes from.

    Try: `jiraiya config show | grep KAFKA`
    """
    from jiraiya_events.settings import effective

    rows = effective(settings_of_this_process())
    if json:
        for row in rows:
            emit({"name": row.name, "value": row.value, "origin": row.origin})
        return
    print_table(("SETTING", "VALUE", "FROM"), ((row.name, row.value, row.origin) for row in rows))


def check(*, json: Json = False) -> None:
    """Say whether `jiraiya serve` would start with these settings; touches nothing outside.

    Wrong settings are one line each and exit code 2. Whether brokers and endpoints answer is
    `jiraiya doctor`'s to say.
    """
    from jiraiya_events.bootstrap import build_service
    from jiraiya_events.domain.errors import SettingsError
    from jiraiya_events.settings import WrongSettings

    try:
        settings = settings_of_this_process()
    except WrongSettings as error:
        if error.rest is None:
            raise
        try:
            build_service(error.rest)
        except SettingsError as more:
            raise error.joined_by(more.lines) from None
        raise
    service = build_service(settings)
    for warning in service.warnings:
        note(f"warning: {warning}")
    if json:
        emit({"ok": True, "warnings": [*settings.warnings, *service.warnings]})
    else:
        note("the settings are fine; `jiraiya doctor` checks what they point to")
