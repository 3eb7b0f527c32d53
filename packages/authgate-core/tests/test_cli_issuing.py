"""The issuer for development, and the tokens that people get of it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

import pytest

import authgate_core as ag
from authgate_core.cli.dev_issuer import DevIssuer
from authgate_core.cli.program import run
from authgate_core.cli.wanted import DevUser, Wanted

ALICE = DevUser("alice", ("admin", "editor"))
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def issuer() -> Iterator[DevIssuer]:
    """An issuer with two users, on a port of the kernel's choice."""
    with DevIssuer([ALICE, DevUser("<bob>")], audience="orders-api", port=0) as served:
        yield served


Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(issuer: DevIssuer) -> Ask:
    """Sends the issuer a request; answers status and body."""

    def send(
        path: str, *, body: str | None = None, host: str = "", method: str = "", content_type: str = FORM
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(issuer.url).port, timeout=60)
        headers = {"Content-Type": content_type} | ({"Host": host} if host else {})
        connection.request(method or ("GET" if body is None else "POST"), path, body, headers)
        reply = connection.getresponse()
        answer = reply.status, reply.read().decode()
        connection.close()
        return answer

    return send


def verified(issuer: DevIssuer, token: str) -> ag.User:
    """Whom a gate that trusts the issuer finds in a token."""
    config = ag.GateConfig(issuers=[ag.Issuer.oidc(issuer.url, audience="orders-api")])
    with ag.Gate(config) as gate:
        return gate.verify_token(token).user


class TestThePage:
    def test_shows_its_users(self, ask: Ask) -> None:
        """Every user is there with their roles, and no name is markup."""
        status, page = ask("/")

        assert 200 == status
        assert "<b>alice</b>" in page
        assert 'value="admin, editor"' in page
        assert "&lt;bob&gt;" in page
        assert "<bob>" not in page

    def test_mints_a_token_that_a_gate_admits(self, issuer: DevIssuer, ask: Ask) -> None:
        """What a form asks for is what the token says."""
        body = urlencode({"sub": "alice", "roles": "editor, buyer", "scope": "orders:read", "lifetime": "60"})
        status, page = ask("/mint", body=body)
        user = verified(issuer, page.partition("autofocus>")[2].partition("<")[0])

        assert 200 == status
        assert ("alice", ("editor", "buyer"), ("orders:read",)) == (user.id, user.roles, user.scopes)

    def test_says_what_is_wrong(self, ask: Ask) -> None:
        """A form that cannot be read is answered with the reason, as text."""
        status, page = ask("/mint", body=urlencode({"sub": "alice", "lifetime": "<i>"}))

        assert 400 == status
        assert "lifetime: write a number of seconds above 0" in page

    def test_mints_nothing_by_a_link(self, ask: Ask) -> None:
        """A GET, which any page can cause, mints nothing."""
        assert 405 == ask("/mint")[0]

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:8400", "127.0.0.1.evil.example:8400", ""])
    def test_answers_no_other_name(self, ask: Ask, host: str) -> None:
        """A page elsewhere whose name leads to this machine gets neither page nor token."""
        named = host or "localhost.evil.example:1"
        assert 403 == ask("/", host=named)[0]
        assert 403 == ask("/mint", body=urlencode({"sub": "alice"}), host=named)[0]

    def test_no_script_and_nothing_from_elsewhere(self, ask: Ask) -> None:
        """The page is complete in itself."""
        _, page = ask("/")

        assert "<script" not in page
        assert "http" not in page.replace("http://127.0.0.1", "")


class TestJson:
    def test_further_claims(self, issuer: DevIssuer, ask: Ask) -> None:
        """Claims are passed on as they are."""
        wanted = Wanted("carol", ("r",), claims={"tenant": "acme", "kid": "k", "algorithm": "none"})
        status, answer = ask("/mint", body=json.dumps(wanted.to_json()), content_type="application/json")
        user = verified(issuer, json.loads(answer)["token"])

        assert 200 == status
        assert ("carol", ("r",), "acme") == (user.id, user.roles, user.claims["tenant"])

    @pytest.mark.parametrize(
        ("asked", "reason"),
        [
            ("[]", "send a JSON object"),
            ("{}", "sub: name the user"),
            ('{"sub": "u", "scope": 3}', "scope: write scopes with blanks between them"),
            ('{"sub": "u", "claims": 3}', "claims: send a JSON object"),
            ('{"sub": "u", "claims": {"iss": "x"}}', "claims: iss is the issuer's own to set"),
            ('{"sub": "u", "lifetime": 1e9}', "lifetime: write a number of seconds above 0, at most 604800"),
            ('{"sub": "u", "lifetime": NaN}', "lifetime: write a number of seconds above 0, at most 604800"),
        ],
    )
    def test_refused(self, ask: Ask, asked: str, reason: str) -> None:
        """What cannot be minted is refused with the reason."""
        answer = ask("/mint", body=asked, content_type="application/json")

        assert (400, {"error": reason}) == (answer[0], json.loads(answer[1]))

    def test_nested_without_end(self, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
        """Is refused like any other, and the issuer prints no traceback."""
        status, _ = ask("/mint", body="[" * 100_000, content_type="application/json")

        assert (400, "") == (status, capsys.readouterr().err)


class TestToken:
    def test_prints_a_token(self, issuer: DevIssuer, capsys: pytest.CaptureFixture[str]) -> None:
        """One line on standard output: a token with the roles of the user, or those that are asked for."""
        more = ["--scope", "a", "--scope", "b", "--claim", "tenant=acme", "--claim", "level=3"]
        assert 0 == run(["token", "alice", "--issuer", issuer.url, *more])
        assert 0 == run(["token", "alice", "--issuer", issuer.url, "--role", "buyer"])
        first, second = (verified(issuer, line) for line in capsys.readouterr().out.splitlines())

        assert (("admin", "editor"), ("a", "b")) == (first.roles, first.scopes)
        assert ("acme", 3) == (first.claims["tenant"], first.claims["level"])
        assert ("buyer",) == second.roles

    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            (
                ["--issuer", "https://id.example.com"],
                "authgate: --issuer: a development issuer runs on this machine",
            ),
            (["--issuer", "http://[::1"], "authgate: --issuer: a development issuer runs on this machine"),
            (
                ["--issuer", "http://127.0.0.1:1"],
                "authgate: no development issuer answers at http://127.0.0.1:1;",
            ),
            (["--claim", "tenant"], "authgate: --claim: write NAME=VALUE"),
            (["--lifetime", "no-number"], "authgate: Invalid value for '--lifetime'"),
        ],
    )
    def test_says_what_to_do(
        self, arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A wrong argument and a missing server are one line and exit code 2."""
        assert 2 == run(["token", "alice", *arguments])
        out, err = capsys.readouterr()

        assert ("", 1) == (out, err.count("\n"))
        assert err.startswith(line)

    def test_what_the_issuer_refuses(self, issuer: DevIssuer, capsys: pytest.CaptureFixture[str]) -> None:
        """The reason of the issuer is the command's."""
        assert 2 == run(["token", "alice", "--issuer", issuer.url, "--claim", "aud=x"])
        assert "authgate: claims: aud is the issuer's own to set\n" == capsys.readouterr().err

    def test_another_server(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A server that is no development issuer is named as that."""
        with ag.testing.FakeIssuer() as other:
            assert 2 == run(["token", "alice", "--issuer", other.url])
        assert "no development issuer; see authgate dev-issuer" in capsys.readouterr().err


class TestServing:
    def test_until_interrupted(self) -> None:
        """The command says where it listens, serves, and ends quietly when interrupted."""
        # Whoever starts the tests in the background has SIGINT ignored, which children inherit.
        heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        code = f"{heard}; from authgate_core.cli import main; main()"
        command = [sys.executable, "-c", code, "dev-issuer", "--port", "0", "--user", "zoe:r1,r2"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            port = urlsplit(address).port
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/")
            page = connection.getresponse().read().decode()
            connection.close()
            os.kill(process.pid, signal.SIGINT)
            try:
                _, err = process.communicate(timeout=60)
            finally:
                process.kill()

        assert "<b>zoe</b>" in page
        assert "Traceback" not in err
        assert 130 == process.returncode

    @pytest.mark.parametrize("user", ["", ":admin"])
    def test_a_user_without_a_name(self, user: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Nobody is not a user."""
        assert 2 == run(["dev-issuer", "--port", "0", "--user", user])
        assert "a user has no name" in capsys.readouterr().err

    def test_a_port_that_is_taken(self, issuer: DevIssuer, capsys: pytest.CaptureFixture[str]) -> None:
        """A port that somebody listens on already is named, with the option that chooses another."""
        port = urlsplit(issuer.url).port
        assert 2 == run(["dev-issuer", "--port", str(port)])
        assert f"authgate: port {port} cannot be listened on; choose another with --port\n" == (
            capsys.readouterr().err
        )
