"""``sirolimus-cds capability``: what the service can do, for those who connect it."""

from __future__ import annotations

import click

from cds.cli.common import Rules, load_rules, rules_options


@click.command("capability")
@rules_options
def command(rules: Rules) -> None:
    """Print what the service can do: hooks, data and scopes, cards, limits and rules."""
    from cds.hooks.pages import capability_page

    click.echo(capability_page(load_rules(rules)), nl=False)
