import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, jsonify, render_template_string
from flask.json.provider import DefaultJSONProvider, JSONProvider

from authgate_core import ApiKeys, Gate, GateConfig, NotAdmitted, User, is_api_key, is_project, is_user
from authgate_core.api_keys import mint_key
from authgate_flask import (
    AuthGate,
    current_admission,
    current_api_key,
    current_project,
    current_service,
    current_user,
    requires,
)

Headers = dict[str, str]
PUBLIC = {"id", "issuer", "tenant", "roles", "scopes", "username", "email", "name"}


def in_view(app: Flask, headers: Headers, body: Callable[[], object], *guards: Callable[..., object]) -> None:
    """Run a test's body as a view."""

    def view() -> str:
        body()
        return "done"

    app.testing = True
    guarded: Callable[..., object] = view
    for guard in guards:
        guarded = guard(guarded)  # type: ignore[assignment]  # a decorator of views
    app.add_url_rule("/", view_func=guarded)  # type: ignore[arg-type]  # as above
    assert "done" == app.test_client().get("/", headers=headers).text


class TestAdmitted:
    def test_they_are_the_principals(self, app: Flask, user: Headers, project: Headers) -> None:
        """A proxy looks like what it stands for."""

        def body() -> None:
            assert isinstance(current_user, User)
            assert ("u1", "u1@example.com", True) == (current_user.id, current_user.email, bool(current_user))
            assert current_user == current_admission.user
            assert "toys" == current_user.claims["department"]
            assert ("p1", "Shop") == (current_project.id, current_project.name)
            assert 2 == len(current_admission.principals)

        in_view(app, user | project, body, requires(is_user & is_project))

    def test_an_api_key(self, project: Headers) -> None:
        """A key has a proxy of its own, which says what to do where no guard asks for one."""
        minted = mint_key()
        app = Flask("keys")
        keys = ApiKeys.static({minted.id: {"secret_hash": minted.secret_hash, "owner_id": "u1"}})
        AuthGate(app, config=GateConfig(api_keys=keys))

        def body() -> None:
            assert ("u1", minted.id) == (current_api_key.owner_id, current_admission.api_key.id)
            with pytest.raises(NotAdmitted, match="test current_user for truth first"):
                current_user.id  # noqa: B018 - reading is the test

        in_view(app, {"X-API-Key": minted.key.reveal()}, body, requires(is_api_key))

    def test_no_api_key(self, app: Flask, project: Headers) -> None:
        """The message names the proxy."""

        def body() -> None:
            with pytest.raises(
                NotAdmitted, match=r"no ApiKey was admitted .* test current_api_key for truth first"
            ):
                current_api_key.id  # noqa: B018 - reading is the test

        in_view(app, project, body, requires(is_project))

    def test_another_kind_than_admitted(self, app: Flask, project: Headers) -> None:
        """Asking for a kind that the guard does not admit is a bug, and the message says which."""

        def body() -> None:
            with pytest.raises(NotAdmitted, match=r"no User was admitted .*\(admitted: Project\)"):
                current_user.id  # noqa: B018 - reading is the test
            with pytest.raises(NotAdmitted):
                current_admission.user  # noqa: B018 - as above

        in_view(app, project, body, requires(is_project))

    def test_either_of_two(self, app: Flask, project: Headers) -> None:
        """After ``a | b`` the truth of each proxy says who came."""

        def body() -> None:
            assert not current_user
            assert not current_service
            assert current_project

        in_view(app, project, body, requires(is_user | is_project))

    def test_nobody_under_an_optional_guard(self, app: Flask) -> None:
        """Law 1.4: then the principal is None, as far as a proxy can be."""

        def body() -> None:
            assert not current_user
            assert None == current_user  # noqa: E711 - a proxy cannot be None, but equals it
            assert not current_admission
            assert () == current_admission.principals

        in_view(app, {}, body, requires(is_user, optional=True))

    @pytest.mark.parametrize("above", [True, False])
    def test_an_optional_guard_and_another(self, app: Flask, project: Headers, *, above: bool) -> None:
        """What the outer one has admitted stays admitted, and who may be nobody stays so."""

        def body() -> None:
            assert "p1" == current_project.id
            assert None == current_user  # noqa: E711 - as above

        guards = (requires(is_user, optional=True), requires(is_project))
        in_view(app, project, body, *(reversed(guards) if above else guards))

    def test_cannot_be_changed(self, app: Flask, user: Headers) -> None:
        """A view cannot promote its caller."""

        def body() -> None:
            with pytest.raises(AttributeError):
                current_user.roles = ("admin",)
            with pytest.raises(AttributeError):
                current_admission.principals = ()  # type: ignore[misc]  # the mistake under test

        in_view(app, user, body, requires(is_user))

    def test_further_questions(self, app: Flask, user: Headers) -> None:
        """The admission answers further policies inside the view."""

        def body() -> None:
            assert current_admission.allows(is_user)
            assert not current_admission.allows(is_project)

        in_view(app, user, body, requires(is_user))


class TestNotAdmitted:
    def test_without_a_guard(self, app: Flask, user: Headers) -> None:
        """The error names the fix; truth and repr are safe, as templates and debuggers ask for them."""

        def body() -> None:
            for proxy in (current_user, current_service, current_project, current_admission):
                assert not proxy
                assert "<LocalProxy unbound>" == repr(proxy)
                with pytest.raises(NotAdmitted, match=r"put @requires\(\.\.\.\)"):
                    str(proxy)
            with pytest.raises(NotAdmitted):
                current_user.id  # noqa: B018 - reading is the test

        in_view(app, user, body)

    def test_outside_of_a_request(self) -> None:
        """Flask's own error says so."""
        assert not current_user
        with pytest.raises(RuntimeError, match="outside of request context"):
            current_user.id  # noqa: B018 - reading is the test

    def test_tools_that_look_at_modules(self) -> None:
        """What inspects a module's names does not trip over a proxy in it."""
        assert inspect.unwrap(current_user) is not None  # type: ignore[arg-type]  # doctest does it to any name

    def test_after_a_refusal(self, app: Flask) -> None:
        """An error page that shows the caller's name finds nobody."""

        @app.errorhandler(401)
        def page(error: Exception) -> tuple[str, int]:
            return render_template_string("{{ current_user.id if current_user else 'nobody' }}"), 401

        app.jinja_env.globals["current_user"] = current_user
        app.add_url_rule("/", view_func=requires(is_user)(lambda: "in"))
        assert "nobody" == app.test_client().get("/").text


class TestShownAsJson:
    def view(self, app: Flask, headers: Headers, answer: Callable[[], Any]) -> object:
        """What a client gets of it."""
        app.testing = True
        app.add_url_rule("/", view_func=requires(is_user, optional=True)(answer))
        return app.test_client().get("/", headers=headers).json

    @pytest.mark.parametrize(
        "answer",
        [
            lambda: current_user,
            lambda: (current_user, 200),
            lambda: current_admission.user,
            lambda: jsonify(current_user),
            lambda: jsonify(current_admission.user),
        ],
        ids=[
            "returned",
            "returned with a status",
            "the principal itself",
            "jsonify",
            "jsonify of the principal",
        ],
    )
    def test_public_fields_only(self, app: Flask, user: Headers, answer: Callable[[], Any]) -> None:
        """What a response shows is ``to_dict()``: no claims, no source."""
        shown = self.view(app, user, answer)
        assert isinstance(shown, dict)
        assert PUBLIC == set(shown)
        assert ("u1", ["clerk"]) == (shown["id"], shown["roles"])

    @pytest.mark.parametrize(
        "answer",
        [lambda: {"who": [current_user]}, lambda: jsonify(who=(current_user,))],
        ids=["in a dict", "in a tuple"],
    )
    def test_inside_of_something(self, app: Flask, user: Headers, answer: Callable[[], Any]) -> None:
        """A principal within a dict or a list is shown alike."""
        shown = self.view(app, user, answer)
        assert isinstance(shown, dict)
        assert PUBLIC == set(shown["who"][0])

    def test_nobody_is_null(self, app: Flask) -> None:
        """An optional guard that nobody passed."""
        assert {"who": None} == self.view(app, {}, lambda: {"who": current_user})

    def test_async_views(self, app: Flask, user: Headers) -> None:
        """Returning a principal is the same there."""

        async def view() -> object:
            return current_user

        shown = self.view(app, user, view)
        assert isinstance(shown, dict)
        assert PUBLIC == set(shown)

    def test_in_templates(self, app: Flask, user: Headers) -> None:
        """``tojson`` goes through the same provider."""
        app.jinja_env.globals["current_user"] = current_user
        shown = self.view(
            app,
            user,
            lambda: (
                render_template_string("{{ current_user|tojson }}"),
                {"Content-Type": "application/json"},
            ),
        )
        assert isinstance(shown, dict)
        assert PUBLIC == set(shown)

    def test_unguarded(self, app: Flask) -> None:
        """Nobody was admitted, so there is nobody to show."""
        with app.test_request_context(), pytest.raises(NotAdmitted):
            jsonify(current_user)

    def test_what_else_there_is(self, app: Flask) -> None:
        """What is no principal is none of our business."""
        with app.app_context(), pytest.raises(TypeError, match="object is not JSON serializable"):
            jsonify(object())

    def test_the_applications_own_provider_is_asked(self, gate: Gate, user: Headers) -> None:
        """A default of the application's own goes on working."""

        class Own(DefaultJSONProvider):
            @staticmethod
            def default(value: object) -> object:
                return f"own {value!r}" if isinstance(value, complex) else DefaultJSONProvider.default(value)

        app = Flask("orders")
        app.json = Own(app)
        AuthGate(app, gate=gate)
        shown = self.view(app, user, lambda: {"who": current_user, "number": 1j})
        assert isinstance(shown, dict)
        assert ("own 1j", PUBLIC) == (shown["number"], set(shown["who"]))

    def test_a_provider_chosen_later(self, app: Flask, user: Headers) -> None:
        """One that replaces Flask's after ``AuthGate(app)`` is taught before the first request."""
        app.json = DefaultJSONProvider(app)
        shown = self.view(app, user, lambda: {"who": current_user})
        assert isinstance(shown, dict)
        assert PUBLIC == set(shown["who"])

    def test_a_provider_is_taught_once(self, app: Flask, user: Headers) -> None:
        """The first request finds that it knows already."""
        assert isinstance(app.json, DefaultJSONProvider)
        taught = app.json.default
        self.view(app, user, lambda: {"who": current_user})
        assert taught is app.json.default

    def test_a_provider_without_the_hook(self, gate: Gate, user: Headers) -> None:
        """One that does not derive from Flask's is left alone and shows nothing by itself."""

        class Bare(JSONProvider):
            def dumps(self, obj: object, **kwargs: object) -> str:
                return repr(obj)

            def loads(self, s: str | bytes, **kwargs: object) -> object:
                return s

        app = Flask("orders")
        app.json = provider = Bare(app)
        AuthGate(app, gate=gate)
        assert provider is app.json
        assert "default" not in vars(provider)

    def test_pickling(self, app: Flask, user: Headers) -> None:
        """What a cache or a queue keeps of a principal is public as well."""

        def body() -> None:
            kept = pickle.loads(pickle.dumps(current_admission.user))
            assert ("u1", {}) == (kept.id, dict(kept.claims))

        in_view(app, user, body, requires(is_user))
