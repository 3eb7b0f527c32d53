from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from authgate_core import Project, Service, User
from authgate_core.principal import Principal

ANN = User(id="ann", issuer="id", roles=["clerk"], claims={"department": "toys"})
SHOP = Project(id="p1")


class Page(BaseModel):
    """A model that holds principals, announced and unannounced."""

    owner: User
    others: list[Principal]
    more: Any


class TestSerialised:
    def test_as_it_shows_itself(self) -> None:
        """Announced by its own type, by a base class or not at all: what ``to_dict`` shows, and no claim."""
        page = Page(owner=ANN, others=[ANN, SHOP], more={"nested": [ANN]})
        shown, shop = ANN.to_dict(), SHOP.to_dict()
        expected = {"owner": shown, "others": [shown, shop], "more": {"nested": [shown]}}
        assert expected == page.model_dump()
        assert expected == page.model_dump(mode="json")
        assert "toys" not in page.model_dump_json()

    def test_json_schema(self) -> None:
        """The public fields, for documentation of responses and of requests alike."""
        for mode in ("serialization", "validation"):
            schema = Page.model_json_schema(mode=mode)["$defs"]
            assert [*ANN.to_dict()] == [*schema["User"]["properties"]]
            assert {"type": "string"} == schema["User"]["properties"]["id"]


class TestValidated:
    @pytest.mark.parametrize("kind", [User, Service, Project, Principal])
    def test_never_made_from_input(self, kind: type[Principal]) -> None:
        """Whatever somebody sends: a principal is given by a gate."""
        adapter = TypeAdapter(kind)
        for given in (ANN.to_dict(), SHOP.to_dict(), "ann", None, [ANN]):
            with pytest.raises(ValidationError, match="never made from input"):
                adapter.validate_python(given, from_attributes=True)
        for given in ('{"id": "ann", "issuer": "id"}', '"ann"', "null", "[]"):
            with pytest.raises(ValidationError, match="never made from input"):
                adapter.validate_json(given)

    def test_an_instance_is_itself(self) -> None:
        """Of the type that is asked for, or of one below it."""
        assert ANN is TypeAdapter(User).validate_python(ANN)
        assert ANN is TypeAdapter(Principal).validate_python(ANN)
        assert ANN is TypeAdapter(User | None).validate_python(ANN)
        with pytest.raises(ValidationError, match="never made from input"):
            TypeAdapter(Service).validate_python(ANN)
