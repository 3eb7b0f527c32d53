"""The directory that is part of the configuration."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path
from typing import cast

import pytest

from authgate_core.credentials import AppCredentials
from authgate_core.errors import ConfigurationError
from authgate_core.hash_secret import hash_secret
from authgate_core.io.projects import AsyncLocalDirectory, LocalDirectory
from authgate_core.ports import AsyncProjectDirectory, ProjectDirectory
from authgate_core.projects import SecretHash, StaticProjects, secret_digest
from authgate_core.secret import Secret

SECRET = "a-chosen-secret-of-thirty-six-letters"
OTHER = "another-secret-of-forty-odd-characters-!"
STORED = hash_secret(Secret(SECRET), bytes(range(16)))
STORED_OTHER = hash_secret(Secret(OTHER), bytes(16))


def _presented(app_id: str, secret: str) -> AppCredentials:
    return AppCredentials(app_id, Secret(secret))


def _only_problem(entry: object, app_id: object = "shop") -> str:
    (problem,) = StaticProjects(cast("dict[str, dict[str, object]]", {app_id: entry})).problems()
    return problem


class _CountingHasher:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, secret: Secret, salt: bytes) -> bytes:
        self.calls += 1
        return secret_digest(secret, salt)


class TestFinding:
    def test_right_secret(self) -> None:
        """The right secret proves the project, with everything that its entry says."""
        projects = StaticProjects(
            {
                "shop": {
                    "id": "b7e1",
                    "name": "The shop",
                    "secret_hash": STORED,
                    "secret_version": 3,
                    "enabled_services": ["orders", "stock"],
                    "roles": ["partner"],
                    "scopes": ("orders:read",),
                    "tenant": "eu",
                }
            }
        )
        assert [] == projects.problems()
        found = projects.find(_presented("shop", SECRET))
        assert found is not None
        assert ("b7e1", "projects", "eu", "app") == (found.id, found.issuer, found.tenant, found.source)
        assert ("The shop", 3) == (found.name, found.secret_version)
        assert ("orders", "stock") == found.enabled_services
        assert (("partner",), ("orders:read",)) == (found.roles, found.scopes)

    def test_defaults(self) -> None:
        """Only a secret is needed: the id is the app id, and every service is enabled."""
        found = StaticProjects({"shop": {"secret_hash": STORED}}).find(_presented("shop", SECRET))
        assert found is not None
        assert ("shop", None, None, 0) == (found.id, found.name, found.enabled_services, found.secret_version)
        assert ((), (), None) == (found.roles, found.scopes, found.tenant)

    @pytest.mark.parametrize(
        ("app_id", "secret"),
        [
            ("shop", OTHER),
            ("nobody", SECRET),
            ("shop", ""),
            ("", SECRET),
            ("shop", SECRET[:-1]),
            ("SHOP", SECRET),
        ],
    )
    def test_anything_else(self, app_id: str, secret: str) -> None:
        """Law 2.5: an unknown app id, a wrong secret and an empty one prove nothing."""
        assert StaticProjects({"shop": {"secret_hash": STORED}}).find(_presented(app_id, secret)) is None

    def test_hash_of_the_empty_secret(self) -> None:
        """Law 2.5: the empty secret is refused, even where an operator hashed it."""
        empty = Secret("")
        projects = StaticProjects({"shop": {"secret_hash": SecretHash.of(empty, bytes(16)).text()}})
        assert projects.find(AppCredentials("shop", empty)) is None

    def test_lone_surrogates(self) -> None:
        """A secret that is no Unicode text is wrong, not an error."""
        assert StaticProjects({"shop": {"secret": SECRET}}).find(_presented("shop", "\udc80")) is None

    def test_another_projects_secret(self) -> None:
        """A secret proves its own project only."""
        projects = StaticProjects({"shop": {"secret_hash": STORED}, "till": {"secret_hash": STORED_OTHER}})
        assert projects.find(_presented("till", SECRET)) is None

    @pytest.mark.parametrize("secret", [SECRET, Secret(SECRET)])
    def test_chosen_secret(self, secret: object) -> None:
        """A chosen secret may stand in the configuration as it is."""
        projects = StaticProjects({"shop": {"secret": secret, "secret_version": 2}})
        assert [] == projects.problems()
        found = projects.find(_presented("shop", SECRET))
        assert found is not None
        assert 2 == found.secret_version
        assert projects.find(_presented("shop", OTHER)) is None

    def test_rotation(self) -> None:
        """While a secret is being replaced both prove the project, each with its version."""
        projects = StaticProjects(
            {"shop": {"secret_hash": [{"hash": STORED_OTHER, "version": 8}, STORED], "secret_version": 7}}
        )
        assert [] == projects.problems()
        versions = [
            getattr(projects.find(_presented("shop", s)), "secret_version", None) for s in (OTHER, SECRET)
        ]
        assert [8, 7] == versions

    def test_chosen_and_hashed(self) -> None:
        """A chosen secret can be replaced by a minted one in the same way."""
        projects = StaticProjects({"shop": {"secret": SECRET, "secret_hash": STORED_OTHER}})
        assert all(projects.find(_presented("shop", secret)) for secret in (SECRET, OTHER))

    def test_same_secret_twice(self) -> None:
        """Of two entries for one secret the first one counts."""
        twice = [
            {"hash": STORED, "version": 5},
            {"hash": hash_secret(Secret(SECRET), b"x" * 16), "version": 4},
        ]
        found = StaticProjects({"shop": {"secret_hash": twice}}).find(_presented("shop", SECRET))
        assert found is not None
        assert 5 == found.secret_version


class TestSameWork:
    PROJECTS = StaticProjects(
        {
            "one": {"secret_hash": STORED},
            "three": {
                "secret_hash": [STORED, STORED_OTHER],
                "secret": "third-secret-that-is-long-enough-too",
            },
        }
    )

    @pytest.mark.parametrize(
        ("app_id", "secret"),
        [
            ("one", SECRET),
            ("one", OTHER),
            ("three", SECRET),
            ("three", OTHER),
            ("three", "no"),
            ("none", SECRET),
        ],
    )
    def test_number_of_hashes(self, app_id: str, secret: str) -> None:
        """Law 6.5: known or unknown, right or wrong, one secret or three: the same number of hashes."""
        hasher, async_hasher = _CountingHasher(), _CountingHasher()
        LocalDirectory(self.PROJECTS, hasher=hasher).look_up(_presented(app_id, secret))
        asyncio.run(
            AsyncLocalDirectory(self.PROJECTS, hasher=async_hasher).look_up(_presented(app_id, secret))
        )
        assert [3, 3] == [hasher.calls, async_hasher.calls]


class TestDirectories:
    def test_both_colours(self) -> None:
        """Law 9.3: the sync and the async directory answer alike."""
        projects = StaticProjects({"shop": {"secret_hash": STORED}})
        sync, asynchronous = LocalDirectory(projects), AsyncLocalDirectory(projects)
        assert isinstance(sync, ProjectDirectory)
        assert isinstance(asynchronous, AsyncProjectDirectory)
        for credentials in (_presented("shop", SECRET), _presented("shop", OTHER)):
            assert sync.look_up(credentials) == asyncio.run(asynchronous.look_up(credentials))

    def test_wrong_configuration(self) -> None:
        """A directory is not made of entries that are wrong."""
        with pytest.raises(ConfigurationError, match=r"\n  - projects: there is none"):
            AsyncLocalDirectory(StaticProjects({}))

    def test_shown(self) -> None:
        """Law 2.5: what is printed names neither secrets nor hashes."""
        projects = StaticProjects({"shop": {"secret": SECRET}, "till": {"secret_hash": STORED}})
        shown = [repr(LocalDirectory(projects)), repr(AsyncLocalDirectory(projects)), str(projects)]
        assert "LocalDirectory(StaticProjects(2 app ids))" == shown[0]
        assert "AsyncLocalDirectory(StaticProjects(2 app ids))" == shown[1]
        assert "StaticProjects(2 app ids)" == shown[2]

    def test_frozen(self) -> None:
        """Law 7.2: a specification cannot be changed, nor what it was made of change it."""
        entry: dict[str, object] = {"secret_hash": STORED, "roles": ["partner"]}
        projects = StaticProjects({"shop": entry})
        entry["roles"] = ["admin"]
        with pytest.raises(AttributeError):
            projects._problems = ()  # type: ignore[misc]  # what the test is about
        found = projects.find(_presented("shop", SECRET))
        assert found is not None
        assert ("partner",) == found.roles


class TestProblems:
    @pytest.mark.parametrize("projects", [[], "projects.toml", None])
    def test_no_mapping(self, projects: object) -> None:
        """Law 1.6: what is no mapping is a problem that names from_file."""
        (problem,) = StaticProjects(cast("dict[str, dict[str, object]]", projects)).problems()
        assert "give a mapping of app ids, or StaticProjects.from_file(path)" == problem

    def test_empty(self) -> None:
        """A directory without projects refuses everybody, which nobody means."""
        assert ["there is none; add a project, or leave projects= out"] == StaticProjects({}).problems()

    @pytest.mark.parametrize("app_id", ["", " shop", "a,b", "caf\u00e9", "a\nb", "x" * 256])
    def test_app_id(self, app_id: str) -> None:
        """Law 2.2: an app id that no header can carry could never match."""
        assert "write an app id of 1 to 255" in _only_problem({"secret_hash": STORED}, app_id)
        assert StaticProjects({app_id: {"secret_hash": STORED}}).find(_presented(app_id, SECRET)) is None

    def test_app_id_is_no_text(self) -> None:
        """A mapping may hold what a TOML file cannot."""
        assert "write an app id of 1 to 255" in _only_problem({"secret_hash": STORED}, 7)

    def test_entry_is_no_table(self) -> None:
        """Law 2.5: a bare secret in place of a table is not repeated."""
        problem = _only_problem(SECRET)
        assert problem.startswith("['shop'] must be a table such as {secret_hash = ...}")
        assert SECRET not in problem

    @pytest.mark.parametrize(
        ("secret", "told"),
        [
            ("x" * 31, "is shorter than 32 characters; mint one with `python -m authgate_core.hash_secret`"),
            ("", "is shorter than 32 characters"),
            ("x" * 32 + ",", "cannot be sent in a header"),
            ("x" * 32 + " ", "cannot be sent in a header"),
            ("x" * 32 + "\u00e9", "cannot be sent in a header"),
            ("x" * 32 + "\n", "cannot be sent in a header"),
            (STORED, "is a hash; write it as secret_hash"),
            (None, "must be text, or a Secret"),
            (SECRET.encode(), "must be text, or a Secret"),
        ],
    )
    def test_chosen_secret(self, secret: object, told: str) -> None:
        """Law 6.1: a chosen secret is long enough, and a header can carry it."""
        problem = _only_problem(
            {"secret": secret} if secret is None else {"secret": secret, "secret_hash": STORED}
        )
        assert problem.startswith(f"['shop'].secret {told}")

    @pytest.mark.parametrize(
        "stored",
        [
            SECRET,
            "",
            7,
            None,
            STORED.upper(),
            STORED + "=",
            STORED[:-1],
            "sha512" + STORED[6:],
            STORED[:-1] + "B",
            {},
        ],
    )
    def test_stored_form(self, stored: object) -> None:
        """A hash is read in its one canonical form; what stands there instead is not repeated."""
        problem = _only_problem({"secret_hash": stored})
        assert problem.startswith("['shop'].secret_hash is not of the form sha256:<salt>:<digest>; mint one")
        assert SECRET not in problem

    def test_number_of_secrets(self) -> None:
        """Every entry has a secret, and few of them."""
        assert _only_problem({}).startswith("['shop'] has 0 secrets, not 1 to 8")
        assert _only_problem({"secret_hash": []}).startswith("['shop'] has 0 secrets")
        assert _only_problem({"secret_hash": [STORED] * 9}).startswith("['shop'] has 9 secrets")

    @pytest.mark.parametrize("key", ["enabled_services", "roles", "scopes"])
    @pytest.mark.parametrize("names", ["orders", None, [""], ["orders", 7], {"orders": 1}])
    def test_lists(self, key: str, names: object) -> None:
        """A list that would silently mean something else, such as one string, is a problem."""
        assert f"['shop'].{key} must be a list" in _only_problem({"secret_hash": STORED, key: names})

    @pytest.mark.parametrize("key", ["id", "name", "tenant"])
    @pytest.mark.parametrize("text", ["", None, 7, "a\nb", "x" * 256])
    def test_texts(self, key: str, text: object) -> None:
        """Names are printable text of at most 255 characters."""
        assert f"['shop'].{key} must be 1 to 255" in _only_problem({"secret_hash": STORED, key: text})

    @pytest.mark.parametrize("version", [-1, True, "3", 1.0, None])
    def test_version(self, version: object) -> None:
        """A version is a whole number, in both of its places."""
        told = " must be a whole number from 0"
        assert "secret_version" + told in _only_problem({"secret_hash": STORED, "secret_version": version})
        assert "secret_hash.version" + told in _only_problem(
            {"secret_hash": {"hash": STORED, "version": version}}
        )

    @pytest.mark.parametrize(
        ("entry", "told"),
        [
            (
                {"secret_hash": STORED, "enabled_service": []},
                "no setting 'enabled_service'; write enabled_services",
            ),
            ({"secret_hash": STORED, "colour": "red"}, "no setting 'colour'; known are enabled_services, id"),
            (
                {"secret_hash": {"hash": STORED, "verison": 1}},
                "secret_hash has no setting 'verison'; write version",
            ),
            (
                {"secret_hash": STORED, "api": {}},
                "no setting 'api'; in TOML an app id that holds a dot is written",
            ),
        ],
    )
    def test_unknown_settings(self, entry: object, told: str) -> None:
        """A misspelt setting is a problem that names the right one."""
        assert told in _only_problem(entry)

    def test_all_of_them(self) -> None:
        """Law 1.6: everything that is wrong is said at once, and a wrong entry admits nobody."""
        projects = StaticProjects(
            {
                "shop": {"secret": "short", "roles": "partner", "naem": "x"},
                "till": {"secret": SECRET, "roles": "partner"},
            }
        )
        assert 4 == len(projects.problems())
        assert projects.find(_presented("till", SECRET)) is None


def _write(folder: Path, text: str) -> Path:
    path = folder / "projects.toml"
    path.write_text(text, encoding="utf-8")
    return path


class TestFile:
    def test_read(self, tmp_path: Path) -> None:
        """A file has one table for each app id, rotation included."""
        path = _write(
            tmp_path,
            f'[shop]\nsecret_hash = "{STORED}"\nenabled_services = ["orders"]\n'
            f'["till.eu"]\nsecret_hash = [{{ hash = "{STORED_OTHER}", version = 2 }}, "{STORED}"]\n',
        )
        projects = StaticProjects.from_file(path)
        assert [] == projects.problems()
        assert 2 == len(projects)
        assert projects.find(_presented("till.eu", OTHER)) is not None

    def test_read_when_made(self, tmp_path: Path) -> None:
        """The file is read when the specification is made, and not again."""
        path = _write(tmp_path, f'[shop]\nsecret_hash = "{STORED}"\n')
        projects = StaticProjects.from_file(str(path))
        path.unlink()
        assert projects.find(_presented("shop", SECRET)) is not None

    def test_problem_names_the_file(self, tmp_path: Path) -> None:
        """A problem of an entry says which file it stands in."""
        path = _write(tmp_path, '[shop]\nsecret = "short"\n')
        (problem,) = StaticProjects.from_file(path).problems()
        assert problem.startswith(f"in {str(path)!r}: ['shop'].secret is shorter")

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"[shop\n", "at line 1"),
            (b"[shop]\nname = '\xff'\n", "utf-8"),
            (b"x = " + b"[" * 100_000, "recursion"),
        ],
    )
    def test_wrong_content(self, tmp_path: Path, content: bytes, why: str) -> None:
        """Law 1.6: a file that is not TOML is a line among the problems, not an exception."""
        path = tmp_path / "projects.toml"
        path.write_bytes(content)
        (problem,) = StaticProjects.from_file(path).problems()
        assert problem.startswith(f"the file {str(path)!r} cannot be read as TOML (")
        assert why in problem

    def test_missing(self, tmp_path: Path) -> None:
        """Law 1.6: so is a file that is missing, or a directory, or no path at all."""
        for path, why in [
            (str(tmp_path / "none.toml"), "No such file or directory"),
            (str(tmp_path), "Is a directory"),
            ("a\0b", "embedded null byte"),
        ]:
            (problem,) = StaticProjects.from_file(path).problems()
            assert why in problem


class TestSecretHash:
    def test_round_trip(self) -> None:
        """The stored form is read back as it was written."""
        assert STORED == SecretHash.parse(STORED).text()

    def test_masked(self) -> None:
        """Law 2.5: neither repr, str nor a traceback shows salt or digest."""
        parsed = SecretHash.parse(STORED)
        assert "SecretHash('***')" == repr(parsed) == str(parsed)
        with pytest.raises(ValueError, match="not a stored hash") as caught:
            SecretHash.parse(SECRET)
        assert SECRET not in "".join(traceback.format_exception(caught.value))

    def test_salt(self) -> None:
        """Salts of one length make salt and secret unambiguous."""
        with pytest.raises(ValueError, match="a salt has 16 bytes, not 15"):
            SecretHash.of(Secret(SECRET), bytes(15))
