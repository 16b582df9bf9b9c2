"""``sirolimus-cds serve``: the CDS Hooks service."""

from __future__ import annotations

import click

from cds.cli.common import Rules, make_engine, rules_options


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="A page that may call from a browser, beside those on loopback.",
)
@rules_options
def command(host: str, port: int, origins: tuple[str, ...], rules: Rules) -> None:
    """Answer CDS Hooks calls over HTTP.

    There is no authentication yet, so the service belongs on loopback or behind a proxy that has it.
    """
    import uvicorn

    from cds.hooks.app import create_app, settle_memory

    app = create_app(make_engine(rules), origins=origins)
    settle_memory()
    click.echo(f"Listening on http://{host}:{port}/cds-services; stop with Ctrl-C", err=True)
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, timeout_keep_alive=75, server_header=False
    )
