"""Ask every question of both apps and compare the answers with the promises."""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from .rows import Row, rows
from .world import World, running

WIDTHS = (40, 26)


@dataclass(frozen=True)
class Answer:
    """What an app answered."""

    status: int
    code: str | None
    milliseconds: float

    def keeps(self, row: Row) -> bool:
        """Whether this is what the row promises."""
        return (self.status, self.code) == (row.promised, row.code)

    def __str__(self) -> str:
        return f"{self.status} {self.code or ''}".strip() + f"  {self.milliseconds:.1f} ms"


def main() -> int:
    """Run the demonstration; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="demo", description="authgate, asked over real HTTP")
    parser.add_argument("--log", action="store_true", help="show what the gates log as well")
    parser.add_argument("--serve", action="store_true", help="keep running and print curl lines instead")
    arguments = parser.parse_args()
    logging.getLogger("authgate").addHandler(
        logging.StreamHandler() if arguments.log else logging.NullHandler()
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped on the way out
    print("starting Mercury, Valkey, Flask on waitress and FastAPI on uvicorn ...", flush=True)
    with running() as world:
        return _serve(world) if arguments.serve else _show(world)


def _show(world: World) -> int:
    names = list(world.urls)
    print(_line("what is sent", "promised", names))
    print("-" * 130)
    broken = 0
    with httpx2.Client(trust_env=False, timeout=10) as client:
        for row in rows(world):
            if row.before is not None:
                row.before()
            answers = [_answer(client, name, url, row) for name, url in world.urls.items()]
            kept = all(answer is None or answer.keeps(row) for answer in answers)
            broken += not kept
            shown = ["-" if answer is None else str(answer) for answer in answers]
            print(_line(row.sent, _promise(row), shown, "" if kept else "BROKEN"), flush=True)
    print(f"\n{'every promise was kept' if not broken else f'{broken} promises were broken'}")
    return 1 if broken else 0


def _answer(client: httpx2.Client, name: str, url: str, row: Row) -> Answer | None:
    """Ask once; where something recovers, until the promise is kept or patience ends."""
    if row.websocket and name == "Flask":
        return None
    patient_until = time.monotonic() + row.patience
    while True:
        started = time.perf_counter()
        status, body = _open(url, row) if row.websocket else _get(client, url, row)
        answer = Answer(status, body.get("code"), (time.perf_counter() - started) * 1000)
        if answer.keeps(row) or time.monotonic() >= patient_until:
            return answer
        time.sleep(0.1)


def _get(client: httpx2.Client, url: str, row: Row) -> tuple[int, Mapping[str, str]]:
    response = client.request(row.method, _raw(url + row.path), headers=row.headers)
    is_json = "json" in response.headers.get("content-type", "")
    return response.status_code, response.json() if is_json else {}


def _raw(url: str) -> httpx2.URL:
    """The URL with its path sent as it is written: a client would resolve dot segments."""
    parsed = httpx2.URL(url)
    return parsed.copy_with(raw_path=url.removeprefix(str(parsed.copy_with(raw_path=b"/"))[:-1]).encode())


def _open(url: str, row: Row) -> tuple[int, Mapping[str, str]]:
    try:
        with connect(url.replace("http://", "ws://") + row.path, additional_headers=row.headers) as socket:
            greeting = json.loads(socket.recv())
            if row.meanwhile is None:
                return 101, greeting
            row.meanwhile()
            socket.recv(timeout=10)
    except InvalidStatus as refused:
        return refused.response.status_code, json.loads(refused.response.body)
    except ConnectionClosed as closed:
        return (closed.rcvd.code, {"code": closed.rcvd.reason}) if closed.rcvd is not None else (1006, {})
    return 101, {}


def _serve(world: World) -> int:
    for name, url in world.urls.items():
        print(f"\n{name}")
        for row in rows(world):
            if row.before is not None:
                break
            if row.curl:
                headers = "".join(f" -H {shlex.quote(f'{header}: {value}')}" for header, value in row.headers)
                print(f"# {row.sent}: {_promise(row)}\ncurl -i{headers} {url}{row.path}")
    print("\nserving until interrupted (Ctrl-C)", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return 0


def _promise(row: Row) -> str:
    return f"{row.promised} {row.code or ''}".strip()


def _line(sent: str, promised: str, answers: list[str], verdict: str = "") -> str:
    columns = "".join(f"{answer:<34}" for answer in answers)
    return f"{sent:<{WIDTHS[0]}}{promised:<{WIDTHS[1]}}{columns}{verdict}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
