"""``sirolimus-cds serve``: the CDS Hooks service, and ``config``: how it is set up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds.cli.common import Rules, make_engine, rules_options, stop

if TYPE_CHECKING:
    from cds.hooks.settings import Settings


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options for serving; each takes precedence over the file and the environment."""
    decorated = command
    for option in (
        click.option(
            "--without-authentication",
            is_flag=True,
            default=None,
            help="Serve other machines without asking who calls; for a proxy that does.",
        ),
        click.option(
            "--active-only",
            is_flag=True,
            default=None,
            help="Serve none but the rules that a clinician has signed.",
        ),
        click.option("--workers", type=click.IntRange(1, 64), help="Processes to answer with (default: 1)."),
        click.option(
            "--allow-origin",
            "allow_origins",
            multiple=True,
            metavar="URL",
            help="A page that may call from a browser, in addition to those on loopback.",
        ),
        click.option("--port", type=click.IntRange(0, 65535), help="Default: 8000."),
        click.option("--host", help="Default: 127.0.0.1."),
        click.option("--config", metavar="FILE", help="A TOML file; see docs/deployment.md."),
    ):
        decorated = option(decorated)
    return decorated


def settings_of(rules: Rules, config: str | None, options: dict[str, Any]) -> Settings:
    """The settings from file, environment and command line; ends with a message when they are wrong."""
    from cds.hooks.settings import WrongSettings, read_settings

    given = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    given |= {"rules": rules.folder, "protocol": rules.protocol or None, "overlays": list(rules.overlays) or None}
    given["allow_origins"] = given["allow_origins"] or None
    try:
        return read_settings(Path(config) if config else None, given=given)
    except WrongSettings as wrong:
        stop(f"the settings cannot be used\n{wrong}")


def rules_of(settings: Settings) -> Rules:
    """The rules that the settings name."""
    return Rules(str(settings.rules) if settings.rules else None, settings.protocol, tuple(map(str, settings.overlays)))


@click.command("serve")
@settings_options
@rules_options
def command(rules: Rules, config: str | None, **options: Any) -> None:
    """Answer CDS Hooks calls over HTTP.

    On loopback anybody may call. Beyond it the issuers of tokens must be named in the settings, or one says
    --without-authentication.
    """
    settings = settings_of(rules, config, options)
    engine = make_engine(
        rules_of(settings), signed=settings.active_only, cached=False, signers=settings.signers
    )  # faults of the rules are reported here, once, and not by every worker

    from cds.hooks.auth import unusable_keys
    from cds.hooks.browser import lacking, wanted
    from cds.hooks.metrics import NoPort
    from cds.hooks.recording import not_to_snooze, unusable_records
    from cds.hooks.reload import NotKept
    from cds.hooks.serving import serve

    def started() -> None:
        at = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{settings.port}"
        click.echo(f"Listening on {at}/cds-services; stop with Ctrl-C", err=True)
        if wanted(settings):
            address = f"The workbench is at {at}/"
            needs = f"The workbench is off: it needs {', '.join(lacking())} (pip install {' '.join(lacking())})"
            click.echo(needs if lacking() else address, err=True)

    if why := unusable_keys(settings) or unusable_records(settings) or not_to_snooze(settings, engine.knowledge):
        stop(f"the settings cannot be used: {why}")
    try:
        serve(engine, settings, started)
    except OSError as error:
        stop(f"cannot listen on {settings.host}:{settings.port} ({error.strerror})")
    except NoPort:
        last = settings.metrics_port + settings.workers - 1
        stop(f"no port from {settings.metrics_port} to {last} is free for metrics")
    except NotKept:
        stop("the rules cannot be kept for the workers: name a folder that can be written in TMPDIR")
