from authgate_core import Admission, InvalidToken, Project, User
from authgate_core.principal import joined

ADA, BOB = User(id="ada", issuer="id"), User(id="bob", issuer="id")
SHOP = Project(id="p1")
REFUSED = InvalidToken("in shadow mode")


class TestJoined:
    """What the guards of one request have found, one after another."""

    def test_the_first(self) -> None:
        """There is nothing to join it to."""
        admission = Admission((ADA,))
        assert joined(None, admission) is admission

    def test_each_kind(self) -> None:
        """Who was admitted stays so, in the order in which they were."""
        assert Admission((ADA, SHOP)) == joined(Admission((ADA,)), Admission((SHOP,)))
        assert Admission((ADA,)) == joined(Admission((ADA,)), Admission())

    def test_one_kind_twice(self) -> None:
        """The later guard saw the request as it is now."""
        assert Admission((SHOP, BOB)) == joined(Admission((ADA, SHOP)), Admission((BOB,)))

    def test_what_was_not_carried_out(self) -> None:
        """Law 8.6: a refusal of any of them is known to the handler, and the later one goes first."""
        refused, admitted = Admission((), REFUSED), Admission((SHOP,))
        assert REFUSED is joined(refused, admitted).refusal
        assert REFUSED is joined(admitted, refused).refusal
        assert REFUSED is joined(Admission((), InvalidToken("earlier")), refused).refusal

    def test_the_request(self) -> None:
        """Law 8.4: further policies are held against the request as the later guard saw it."""
        assert "now" == joined(Admission(request="then"), Admission(request="now")).request
