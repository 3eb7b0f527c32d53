import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Blueprint, Flask, request
from flask.views import MethodView, View

from authgate_core import (
    AsyncGate,
    ConfigurationError,
    Gate,
    GateConfig,
    Issuer,
    MemoryRevocation,
    Policy,
    any_role,
    is_project,
    is_service,
    is_user,
)
from authgate_core.testing import FakeIssuer
from authgate_flask import (
    AuthGate,
    current_admission,
    current_gate,
    current_user,
    flask_combined_auth,
    flask_jwt_auth,
    requires,
)

Headers = dict[str, str]


def gate_of(app: Flask) -> Gate:
    """The gate of an application."""
    gate = app.extensions["authgate"].gate
    assert isinstance(gate, Gate)
    return gate


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets ``AUTHGATE_*`` variables of the environment, and no others are set."""
    for name in [name for name in os.environ if name.startswith("AUTHGATE_")]:
        monkeypatch.delenv(name)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"AUTHGATE_{name}", value)

    return put


@pytest.fixture
def served() -> Iterator[FakeIssuer]:
    """An issuer on loopback."""
    with FakeIssuer(audience="orders-api") as issuer:
        yield issuer


class TestSettings:
    def test_a_configuration_handed_in(self, config: GateConfig) -> None:
        """``config=`` is what the gate is built from, whatever else is set."""
        app = Flask("orders")
        app.config["AUTHGATE_ISSUER"] = "https://other.example.com"
        AuthGate(app, config=config)
        assert config is gate_of(app).config

    def test_a_gate_handed_in(self, app: Flask, gate: Gate) -> None:
        """``gate=`` is used as it is."""
        assert gate is gate_of(app)

    def test_of_the_application(self, settings: Callable[..., None]) -> None:
        """``app.config`` goes before the environment, and the two are not mixed."""
        settings(ISSUER="https://environment.example.com", AUDIENCE="environment")
        app = Flask("orders")
        app.config.update(AUTHGATE_ISSUER="https://app.example.com", AUTHGATE_AUDIENCE="orders-api")
        AuthGate(app)
        assert ["https://app.example.com"] == [issuer.issuer for issuer in gate_of(app).config.issuers]
        half = Flask("half")
        half.config["AUTHGATE_ISSUER"] = "https://app.example.com"
        with pytest.raises(ConfigurationError, match="AUTHGATE_AUDIENCE"):
            AuthGate(half)

    def test_what_is_passed_over_is_named(self, settings: Callable[..., None]) -> None:
        """What is set in the environment is not called missing without a word about why."""
        settings(ISSUER="https://environment.example.com", AUDIENCE="environment")
        half = Flask("half")
        half.config["AUTHGATE_AUDIT"] = True
        said = "app.config: has AUTHGATE_AUDIT, so the environment's AUTHGATE_AUDIENCE is not read"
        with pytest.raises(ConfigurationError, match=said):
            AuthGate(half)

    def test_of_the_environment(self, settings: Callable[..., None]) -> None:
        """Without any in ``app.config``; ``AUTHGATE_SET_G`` alone is none."""
        settings(ISSUER="https://environment.example.com", AUDIENCE="environment")
        app = Flask("orders")
        app.config["AUTHGATE_SET_G"] = True
        AuthGate(app)
        assert ["https://environment.example.com"] == [
            issuer.issuer for issuer in gate_of(app).config.issuers
        ]

    def test_none_at_all(self, settings: Callable[..., None]) -> None:
        """Law 1.6: nothing starts, and the message names what to set."""
        settings()
        app = Flask("orders")
        with pytest.raises(ConfigurationError, match="AUTHGATE_ISSUER"):
            AuthGate(app)
        assert "authgate" not in app.extensions

    @pytest.mark.parametrize("value", ["true", "False", 1, None])
    def test_set_g_is_a_bool(self, gate: Gate, value: object) -> None:
        """A text that looks false would be true."""
        app = Flask("orders")
        app.config["AUTHGATE_SET_G"] = value
        with pytest.raises(ConfigurationError, match="True or False"):
            AuthGate(app, gate=gate)

    def test_everything_that_is_wrong(self, settings: Callable[..., None]) -> None:
        """Law 1.6: one message for all of it."""
        settings()
        app = Flask("orders")
        app.config["AUTHGATE_SET_G"] = "yes"
        with pytest.raises(ConfigurationError) as raised:
            AuthGate(app)
        assert ["AUTHGATE_SET_G", "AUTHGATE_ISSUER"] == [
            problem.partition(":")[0] for problem in raised.value.problems
        ]

    def test_a_mapping_as_configuration(self, app: Flask) -> None:
        """What is meant by it happens without it."""
        with pytest.raises(ConfigurationError, match="GateConfig, not Config"):
            AuthGate(config=app.config)  # type: ignore[arg-type]  # the mistake under test

    def test_a_configuration_as_application(self, config: GateConfig) -> None:
        """It is called by its name."""
        with pytest.raises(ConfigurationError, match=r"not GateConfig; write AuthGate\(app, config=...\)"):
            AuthGate(config)  # type: ignore[arg-type]  # the mistake under test

    def test_a_gate_and_a_configuration(self, config: GateConfig, gate: Gate) -> None:
        """One of them would be ignored."""
        with pytest.raises(ConfigurationError, match="one of them"):
            AuthGate(config=config, gate=gate)

    def test_an_async_gate(self, config: GateConfig) -> None:
        """Law 9.4: Flask needs the sync one, async views or not."""
        with pytest.raises(ConfigurationError, match=r"Gate\(config\)"):
            AuthGate(gate=AsyncGate(config))  # type: ignore[arg-type]  # the mistake under test


class TestApplications:
    def test_one_object_serves_several(self, config: GateConfig, user: Headers) -> None:
        """State is on each application, never on the extension; the gates are two."""
        authgate = AuthGate(config=config)
        apps = [Flask("one"), Flask("two")]
        for app in apps:
            authgate.init_app(app)
            app.add_url_rule("/", view_func=requires(is_user)(lambda: {"id": current_user.id}))
        assert [{"id": "u1"}] * 2 == [app.test_client().get("/", headers=user).json for app in apps]
        assert gate_of(apps[0]) is not gate_of(apps[1])

    def test_one_view_in_two_applications(
        self, config: GateConfig, served: FakeIssuer, user: Headers
    ) -> None:
        """A guard belongs to no application: each request is judged by the gate of its own."""
        shop = Blueprint("shop", __name__)
        shop.add_url_rule("/", view_func=requires(is_user)(lambda: "in"))
        other = Issuer.static(served.jwks(), issuer=served.url, audience="orders-api")
        ours, theirs = Flask("ours"), Flask("theirs")
        AuthGate(ours, config=config)
        AuthGate(theirs, config=GateConfig(issuers=[other]))
        for app in (ours, theirs):
            app.register_blueprint(shop)
        assert 200 == ours.test_client().get("/", headers=user).status_code
        assert 401 == theirs.test_client().get("/", headers=user).status_code

    def test_a_second_gate(self, app: Flask, config: GateConfig) -> None:
        """An application has one gate; a second would quietly replace the first."""
        with pytest.raises(ConfigurationError, match="a gate already"):
            AuthGate(app, config=config)


class TestPolicies:
    """Law 1.6: a policy that names a kind the gate has no source for is a configuration error."""

    @pytest.fixture
    def users_only(self, config: GateConfig, issuer: FakeIssuer) -> GateConfig:
        """No projects, and nothing is a service."""
        return GateConfig(issuers=[Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)])

    def test_of_views_that_are_there(self, users_only: GateConfig) -> None:
        """They are checked when the gate is put in front, all in one message, and nothing is left behind."""
        app = Flask("orders")
        app.add_url_rule("/1", "first", requires(is_project)(lambda: "in"))
        app.add_url_rule("/2", "second", requires(is_service)(lambda: "in"))
        app.add_url_rule("/3", "third", requires(is_user)(lambda: "in"))
        with pytest.raises(ConfigurationError) as raised:
            AuthGate(app, config=users_only)
        assert ["first", "second"] == [problem.partition(":")[0] for problem in raised.value.problems]
        assert "authgate" not in app.extensions

    def test_of_views_that_come_later(self, users_only: GateConfig, user: Headers) -> None:
        """They are checked before the first request, whatever it is for, and again until they are right."""
        app = Flask("orders")
        app.testing = True
        AuthGate(app, config=users_only)

        class Orders(MethodView):
            @requires(is_project)
            def post(self) -> str:
                return "in"

        app.add_url_rule("/good", "good", requires(is_user)(lambda: "in"))
        app.add_url_rule("/orders", view_func=Orders.as_view("orders"))
        app.add_url_rule("/stacked", "stacked", requires(is_user)(requires(is_service)(lambda: "in")))
        for _ in range(2):
            with pytest.raises(ConfigurationError) as raised:
                app.test_client().get("/good", headers=user)
            assert ["orders", "stacked"] == [problem.partition(":")[0] for problem in raised.value.problems]

    def test_of_class_views_and_hooks(self, users_only: GateConfig) -> None:
        """A guard on ``dispatch_request`` or before a whole blueprint is found as well."""
        app = Flask("orders")
        app.testing = True
        AuthGate(app, config=users_only)

        class Orders(View):
            @requires(is_project)
            def dispatch_request(self) -> str:
                return "in"

        @app.before_request
        @requires(is_service)
        def only_services() -> None:
            return None

        app.add_url_rule("/orders", view_func=Orders.as_view("orders"))
        with pytest.raises(ConfigurationError) as raised:
            app.test_client().get("/elsewhere")
        assert ["orders", "before_request of orders"] == [
            problem.partition(":")[0] for problem in raised.value.problems
        ]

    def test_are_checked_once(self, config: GateConfig, user: Headers) -> None:
        """Before the first request that finds them right, and not before every one."""
        checked: list[Policy] = []

        class Counting(Gate):
            def check_policy(self, policy: Policy) -> None:
                checked.append(policy)

        app = Flask("orders")
        with Counting(config) as gate:
            AuthGate(app, gate=gate)
            app.add_url_rule("/", view_func=requires(is_user)(lambda: "in"))
            assert [200, 200] == [app.test_client().get("/", headers=user).status_code for _ in range(2)]
        assert [is_user] == checked

    def test_of_views_out_of_sight(self, users_only: GateConfig, user: Headers) -> None:
        """A guard behind somebody's own decorator is checked at its first use, and admits nobody."""
        app = Flask("orders")
        app.testing = True
        AuthGate(app, config=users_only)

        @requires(is_user | is_project)
        def guarded() -> str:
            return "in"

        @app.get("/hidden")
        def hidden() -> str:
            return guarded()

        app.add_url_rule("/good", "good", requires(is_user)(lambda: "in"))
        assert 200 == app.test_client().get("/good", headers=user).status_code
        with pytest.raises(ConfigurationError):
            app.test_client().get("/hidden", headers=user)


class TestGateOfAShortcut:
    """Law 1.6: the named shortcuts alone may build a gate from the environment, once."""

    def test_is_built_from_the_environment(self, settings: Callable[..., None], served: FakeIssuer) -> None:
        """One import and one line."""
        settings(ISSUER=served.url, AUDIENCE="orders-api")
        app = Flask("orders")
        app.add_url_rule("/", view_func=flask_jwt_auth()(lambda: {"id": current_user.id}))
        client = app.test_client()
        assert "application/problem+json" == client.get("/").content_type
        assert {"id": "u1"} == client.get("/", headers={"Authorization": f"Bearer {served.token('u1')}"}).json
        gate_of(app).close()

    def test_is_built_once(self, settings: Callable[..., None]) -> None:
        """Under a lock: whoever comes first builds it for all."""
        settings(ISSUER="https://id.example.com", AUDIENCE="orders-api")
        app = Flask("orders")
        together = threading.Barrier(8)
        gates: list[Gate] = []

        @app.get("/")
        def meet() -> str:
            together.wait(timeout=10)
            return guarded()

        @flask_jwt_auth()
        def guarded() -> str:
            raise AssertionError("nobody may come here")

        def call() -> None:
            assert 401 == app.test_client().get("/").status_code
            gates.append(gate_of(app))

        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (8, 1) == (len(gates), len(set(gates)))

    def test_answers_what_views_raise(self, settings: Callable[..., None], served: FakeIssuer) -> None:
        """It is a whole gate: outcomes of the view are answered as with ``AuthGate(app)``."""
        settings(ISSUER=served.url, AUDIENCE="orders-api")
        app = Flask("orders")

        @app.get("/")
        @flask_jwt_auth()
        def view() -> dict[str, object]:
            current_admission.require(any_role("admin"))
            return current_user.to_dict()

        client = app.test_client()
        presented = [
            {"Authorization": f"Bearer {served.token('u1', roles=roles)}"} for roles in ([], ["admin"])
        ]
        answers = [client.get("/", headers=headers) for headers in presented]
        assert [403, 200] == [answer.status_code for answer in answers]
        assert ["application/problem+json", "application/json"] == [answer.content_type for answer in answers]
        gate_of(app).close()

    def test_a_child_does_not_inherit_the_lock(self) -> None:
        """Law 9.5: a lock that the parent holds while it forks is not waited for."""
        held = """if True:
            import os
            from authgate_flask import installing
            with installing._building:
                child = os.fork()
                if not child:
                    os._exit(installing._building.locked())
            raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
        assert 0 == subprocess.run([sys.executable, "-c", held], timeout=60, check=False).returncode

    def test_uses_the_one_that_is_there(self, app: Flask, gate: Gate) -> None:
        """``AuthGate(app)`` goes before the environment."""
        app.add_url_rule("/", view_func=flask_jwt_auth()(lambda: "in"))
        assert 401 == app.test_client().get("/").status_code
        assert gate is gate_of(app)

    def test_without_settings(self, settings: Callable[..., None]) -> None:
        """Nobody gets in, and the message names what to set."""
        settings()
        app = Flask("orders")
        app.testing = True
        app.add_url_rule("/", view_func=flask_jwt_auth()(lambda: "in"))
        with pytest.raises(ConfigurationError, match="AUTHGATE_ISSUER"):
            app.test_client().get("/")
        assert "authgate" not in app.extensions

    def test_checks_every_view(self, settings: Callable[..., None]) -> None:
        """It does not start by halves either."""
        settings(ISSUER="https://id.example.com", AUDIENCE="orders-api")
        app = Flask("orders")
        app.testing = True
        app.add_url_rule("/jwt", "jwt", flask_jwt_auth()(lambda: "in"))
        app.add_url_rule("/both", "both", flask_combined_auth()(lambda: "in"))
        with pytest.raises(ConfigurationError, match="both"):
            app.test_client().get("/jwt")

    def test_requires_never_builds_one(self, settings: Callable[..., None]) -> None:
        """``requires`` names the missing line, however well the environment is set."""
        settings(ISSUER="https://id.example.com", AUDIENCE="orders-api")
        app = Flask("orders")
        app.testing = True
        app.add_url_rule("/", view_func=requires(is_user)(lambda: "in"))
        with pytest.raises(ConfigurationError, match=r"AuthGate\(app\)"):
            app.test_client().get("/")
        assert "authgate" not in app.extensions


class TestCurrentGate:
    def test_is_that_of_the_application_at_hand(self, app: Flask, gate: Gate, config: GateConfig) -> None:
        """Each application has its own, in requests and without one."""
        with Gate(config) as second:
            other = Flask("other")
            AuthGate(other, gate=second)
            for each, expected in ((app, gate), (other, second)):
                with each.app_context():
                    assert current_gate.health() == expected.health()
                    assert current_gate == expected
                    assert isinstance(current_gate, Gate)

    def test_revokes_from_a_view(self, issuer: FakeIssuer) -> None:
        """Law 5.1: a logout ends the token at the next request."""
        trusted = Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
        with Gate(GateConfig(issuers=[trusted], revocation=MemoryRevocation())) as gate:
            app = Flask("orders")
            AuthGate(app, gate=gate)

            @app.post("/logout")
            @requires(is_user)
            def logout() -> tuple[str, int]:
                presented = request.authorization
                assert presented is not None
                assert presented.token is not None
                current_gate.revocations.revoke_token(presented.token)
                return "", 204

            client, headers = app.test_client(), {"Authorization": f"Bearer {issuer.token('u1')}"}
            assert [204, 401] == [client.post("/logout", headers=headers).status_code for _ in range(2)]

    def test_without_one(self) -> None:
        """Law 1.6: the message names the missing line."""
        with Flask("orders").app_context(), pytest.raises(ConfigurationError, match=r"add AuthGate\(app\)"):
            current_gate.health()
