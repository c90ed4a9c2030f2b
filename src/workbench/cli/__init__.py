"""The command line: parse, call one function, print what came of it.

Errors a user can mend print one message and end with their own exit code, without a traceback.
"""

from __future__ import annotations

import errno
from typing import NoReturn

import typer

from workbench.cli import batches, departure, drafts, intake, leaving, portal, studies
from workbench.cli.console import err
from workbench.errors import RunError, WorkbenchError

STOPPED = 130
app = typer.Typer(
    name="workbench",
    help="Turn register extracts into checked stores, cohorts, studies and reports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
new = typer.Typer(
    help="Write a file to start from: a definition, a study, a key.", no_args_is_help=True
)

app.command()(studies.demo)
app.command()(intake.invent)
app.command()(intake.registers)
app.command("import")(intake.import_)
app.command()(intake.status)
app.command()(studies.run)
app.command()(batches.verify)
app.command()(leaving.forget)
app.command()(leaving.prune)
app.command("check-release")(departure.check_release)
app.command()(portal.portal)
app.add_typer(batches.batch, name="batch")
app.add_typer(new, name="new")
new.command("register")(drafts.new_register)
new.command("study")(drafts.new_study)
new.command("key")(drafts.new_key)


def main() -> None:
    """Run the command line; every way out has its exit code."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == STOPPED:  # what typer makes of Ctrl-C, without a word
            _tell_stopped()
        raise
    except WorkbenchError as told:
        err.print(str(told), markup=False)
        raise SystemExit(told.exit_code) from None
    except KeyboardInterrupt:
        _tell_stopped()
    except RuntimeError as reason:
        if "interrupted" not in str(reason):  # what the engine says when it is stopped
            raise
        _tell_stopped()
    except OSError as reason:
        if reason.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        err.print("The disk is full. Nothing half-made was kept.")
        raise SystemExit(RunError.exit_code) from None


def _tell_stopped() -> NoReturn:
    err.print("Stopped. Nothing half-made was kept.")
    raise SystemExit(STOPPED) from None
