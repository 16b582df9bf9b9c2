"""``sirolimus-cds config``: every setting of the service as it would be used."""

from __future__ import annotations

import json
from typing import Any

import click

from cds.cli.common import Rules, rules_options
from cds.cli.serve import settings_of, settings_options


@click.command("config")
@settings_options
@rules_options
def command(rules: Rules, config: str | None, **options: Any) -> None:
    """Print the settings of the service, from file, environment and options, without starting it.

    Issuers sign, and only their public keys are known here; a password in the address of the records is not shown.
    """
    from cds.hooks.browser import served

    settings = settings_of(rules, config, options)
    click.echo(json.dumps(settings.shown() | {"workbench": served(settings)}, indent=2))
