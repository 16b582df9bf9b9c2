"""``sirolimus-cds prefetch``: the queries that an EHR's analyst types in."""

from __future__ import annotations

import click

from cds.cli.common import Rules, load_rules, rules_options


@click.command("prefetch")
@rules_options
def command(rules: Rules) -> None:
    """Print the prefetch keys: what each asks, what for, and which must be there."""
    from cds.hooks.pages import prefetch_page

    click.echo(prefetch_page(load_rules(rules)), nl=False)
