"""docs/cli.md, made from the commands themselves: ``python -m tests.cli.page``."""

from __future__ import annotations

import click

from cds.cli.main import GROUPS, main
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "cli.md"
_HEAD = """# The command line

Made from the commands by `make docs`. The command is `sirolimus-cds`, in `.venv/bin` after `make demo`; `sirolimus-cds COMMAND --help` says the same.

Every command that judges takes `--protocol NAME`: `seed-2024` unless told otherwise, `feng-2020`, `ctd-6-15`, `label-lam` and
`paediatric-cytopenia`, whose windows are per square metre (see [rules/protocols/](../rules/protocols/)). Where a protocol gives no dose window for
an age or a phase, the card says so. `--overlay FOLDER` lays a folder of your own over the rules: a protocol beside the others, a single number of
`definitions.yaml`, a rule in place of ours; what it replaces is printed. `--rules FOLDER` judges by another folder altogether.

Exit codes: 0 done, 1 `check` found faults, `lint` something that cannot be read, `diff` other cards or `fmt --check` a file to put in order, 2 usage
or unreadable input, 70 engine fault. `NO_COLOR` is heeded.

A site that keeps rules of its own runs their cases and scenarios in its own CI: `pytest --sirolimus-rules FOLDER` (or `--sirolimus-overlay FOLDER`)
makes each a test with a name. [authoring.md](authoring.md) changes a number for a site, start to finish.

The shell completes commands and options after one line in its start file: `eval "$(_SIROLIMUS_CDS_COMPLETE=bash_source sirolimus-cds)"` for bash,
`zsh_source` for zsh, and for fish `_SIROLIMUS_CDS_COMPLETE=fish_source sirolimus-cds | source`.
"""


def page() -> str:
    """The page: each group of commands, and the help of each command."""
    parts = [_HEAD]
    context = click.Context(main, info_name="sirolimus-cds", **main.context_settings)
    for group, names in GROUPS.items():
        parts.append(f"## {group}\n")
        for name in names:
            command = main.get_command(context, name)
            assert command is not None
            parts.append(f"### {name}\n\n```\n{_help(command, context, f'sirolimus-cds {name}')}\n```\n")
    return "\n".join(parts)


def _help(command: click.Command, parent: click.Context, name: str) -> str:
    """The help of a command and of those below it, at 100 columns whatever the terminal."""
    context = click.Context(command, info_name=name.partition(" ")[2], parent=parent, terminal_width=100)
    text = command.get_help(context)
    if isinstance(command, click.Group):
        below = (command.get_command(context, each) for each in command.list_commands(context))
        text += "".join(f"\n\n{_help(each, parent, f'{name} {each.name}')}" for each in below if each is not None)
    return "\n".join(line.rstrip() for line in text.splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
