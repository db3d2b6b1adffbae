"""Every address has its row in the route tables, and every row its address."""

from collections import Counter

from consilium.access.policy import ACTIONS
from consilium.people.models import Membership
from consilium.web.routes import all_routes
from consilium.web.tests.addresses import all_addresses


def test_every_address_has_a_name_and_exactly_one_row():
    names = Counter(address.name for address in all_addresses())
    assert "" not in names
    assert [name for name, count in names.items() if count > 1] == []
    assert set(names) == set(all_routes())


def test_every_row_says_who_may_come_in():
    for row in all_routes().values():
        kind, _, rest = row.access.partition(":")
        assert kind in ("public", "guest", "account", "role", "case"), row
        assert kind != "case" or rest in ACTIONS, row
        assert kind != "role" or set(rest.split(",")) <= set(Membership.Role.values), row
        assert row.why or kind != "public", f"{row.name}: say why nobody has to sign in"
        assert row.methods and set(row.methods) <= {"GET", "POST"}, row


def test_addresses_of_a_case_are_never_public():
    for address in all_addresses():
        if "case_id" in address.parameters:
            assert all_routes()[address.name].access.split(":")[0] in ("case", "role"), address
