"""``sirolimus-cds doctor``: whether this machine can run the service as it is set up."""

from __future__ import annotations

import sys
from typing import Any

import click

from cds.cli.common import Rules, load_rules, rules_options
from cds.cli.serve import rules_of, settings_of, settings_options
from cds.cli.show import wrapped

_COLOURS = {"ok": "green", "note": "yellow", "fault": "red"}


@click.command("doctor")
@settings_options
@rules_options
def command(rules: Rules, config: str | None, **options: Any) -> None:
    """Look at rules, keys, clock, records, space, permissions and limits, as the service would find them.

    Keys are fetched from the issuers' addresses of the settings; nothing else is asked, and nothing is made or changed. Run it as the
    user of the service. The exit code is 1 where something keeps the service from working.
    """
    import httpx

    from cds.hooks.doctor import look

    settings = settings_of(rules, config, options)
    knowledge = load_rules(rules_of(settings), signers=settings.signers)
    _say("ok", f"{len(knowledge.rules)} rules under {knowledge.protocol.id}, knowledge {knowledge.hash[:12]}")
    with httpx.Client(trust_env=False, follow_redirects=False) as client:
        levels = [_say(each.level, each.what) for each in look(settings, knowledge, client)]
    sys.exit(int("fault" in levels))


def _say(level: str, what: str) -> str:
    head = click.style(f"{level:<6}", fg=_COLOURS[level])
    click.echo(head + wrapped(what, "", "      "))
    return level
