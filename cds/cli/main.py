"""``sirolimus-cds``: commands are loaded only when called, so that each starts quickly."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from cds import __version__

GROUPS = {
    "Judge charts": ("evaluate", "explain", "lint", "report", "population"),
    "Serve an EHR": ("serve", "config", "doctor", "prefetch", "capability"),
    "Look back": ("decisions", "feedback", "replay", "records"),
    "Write rules": ("check", "scenario", "new", "fmt", "diff", "sign", "docs", "schema", "export"),
}
"""The commands, as ``--help`` and docs/cli.md group them."""
_COMMANDS = tuple(name for names in GROUPS.values() for name in names)


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"cds.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in their groups, each with its first sentence."""
        longest = formatter.width - 6 - max(map(len, _COMMANDS))
        for group, names in GROUPS.items():
            with formatter.section(group):
                found = ((name, self.get_command(ctx, name)) for name in names)
                formatter.write_dl(
                    [(name, each.get_short_help_str(longest)) for name, each in found if each is not None]
                )


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sirolimus-cds")
@click.pass_context
def main(context: click.Context) -> None:
    """Decision support for sirolimus in primary immune thrombocytopenia.

    Off label, not clinically signed off, and no substitute for clinical judgement.
    """
    if os.environ.get("NO_COLOR"):  # no-color.org
        context.color = False


def run() -> None:
    """The entry point. Where the engine's C extension cannot be loaded, one sentence says what to do."""
    try:
        main(prog_name="sirolimus-cds")
    except ImportError as error:
        if error.name != "durable_rules_engine":
            raise
        click.echo(f"sirolimus-cds: {error}", err=True)
        sys.exit(70)
