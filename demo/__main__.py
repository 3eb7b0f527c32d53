"""Ask every question of all apps and compare the answers with the promises."""

from __future__ import annotations

import argparse
import logging
import shlex
import signal
import sys
import time
from typing import Final

import httpx2

from .asking import Answer, ask, query
from .rows import Promise, Row, rows
from .world import App, World, running

WIDTHS: Final = (39, 26)
COLUMN: Final = {False: 13, True: 29}
"""How wide a column is: a GraphQL answer names its code, which the promise of the row does not."""


def main() -> int:
    """Run the demonstration; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="demo", description="authgate, asked over real HTTP")
    parser.add_argument("--log", action="store_true", help="show what the gates log as well")
    parser.add_argument("--serve", action="store_true", help="keep running and print curl lines instead")
    for library in ("strawberry", "graphene"):
        parser.add_argument(f"--{library}", metavar="PYTHON", help=f"of the environment that has {library}")
    arguments = parser.parse_args()
    logging.getLogger("authgate").addHandler(
        logging.StreamHandler() if arguments.log else logging.NullHandler()
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped on the way out
    named = {"strawberry": arguments.strawberry, "graphene": arguments.graphene}
    interpreters = {library: python for library, python in named.items() if python}
    print("starting Mercury, Valkey and the apps ...", flush=True)
    with running(interpreters, log=arguments.log) as world:
        return _serve(world) if arguments.serve else _show(world)


def _show(world: World) -> int:
    titles = [app.name.ljust(COLUMN[app.graphql]) for app in world.apps]
    heading = _line("what is sent", "promised", titles)
    print(f"{heading}\n{'-' * len(heading)}")
    broken = 0
    with httpx2.Client(trust_env=False, timeout=10) as client:
        for row in rows(world):
            if row.before is not None:
                row.before()
            broken += not _kept(world, client, row)
    print(f"\n{'every promise was kept' if not broken else f'{broken} promises were broken'}")
    return 1 if broken else 0


def _kept(world: World, client: httpx2.Client, row: Row) -> bool:
    """Ask every app, show what each answered, and tell whether all is as promised."""
    shown, broken = [], []
    for app in world.apps:
        promise = row.promise(app)
        answer = None if promise is None else ask(client, app, row, promise)
        shown.append(_answer(app, answer).ljust(COLUMN[app.graphql]))
        if answer is not None and answer.told != promise:
            broken.append(f"BROKEN: {app.name} answered {answer.told} in the place of {promise}")
    promised = str(Promise(row.promised, row.code))
    print("\n".join([_line(row.sent, promised, shown), *broken]), flush=True)
    return not broken


def _answer(app: App, answer: Answer | None) -> str:
    """The status and the time; the code where the promise of the row does not name it already."""
    if answer is None:
        return "-"
    told = answer.told if app.graphql else answer.told.status
    digits = 1 if answer.milliseconds < 100 else 0
    return f"{told} {answer.milliseconds:.{digits}f} ms"


def _serve(world: World) -> int:
    for app in world.apps:
        print(f"\n{app.name}")
        for row in rows(world):
            if row.before is not None:
                break
            if row.curl:
                promise = row.promise(app)
                print(f"# {row.sent}: {promise}\n{_curl(app, row)}")
    print("\nserving until interrupted (Ctrl-C)", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return 0


def _curl(app: App, row: Row) -> str:
    headers = [f"{name}: {value}" for name, value in row.headers]
    if app.graphql:
        headers.append("content-type: application/json")
    given = "".join(f" -H {shlex.quote(header)}" for header in headers)
    return f"curl -i{given} " + (
        f"-d {shlex.quote(query(row))} {app.url}" if app.graphql else app.url + row.path
    )


def _line(sent: str, promised: str, answers: list[str]) -> str:
    return f"{sent:<{WIDTHS[0]}}{promised:<{WIDTHS[1]}}{''.join(answers)}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
