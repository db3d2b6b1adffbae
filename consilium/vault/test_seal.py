from uuid import uuid4

import pytest

from consilium.vault import keys, seal
from consilium.vault.errors import Tampered


def test_round_trip_and_every_seal_is_different(space):
    one, two = (seal.seal(space, "t.c:1", b"text") for _ in range(2))
    assert seal.unseal(space, "t.c:1", one) == seal.unseal(space, "t.c:1", two) == b"text"
    assert one != two
    assert b"text" not in one
    assert len(one) == 4 + seal.OVERHEAD


def test_value_opens_only_in_its_own_context_and_space(space, tenant):
    sealed = seal.seal(space, "t.c:1", b"text")
    other = uuid4()
    keys.create_space(other, tenant=tenant)
    for where in [(space, "t.c:2"), (space, "t.d:1"), (other, "t.c:1")]:
        with pytest.raises(Tampered):
            seal.unseal(*where, sealed)
        assert not seal.belongs(*where, sealed)
    assert seal.belongs(space, "t.c:1", sealed)


def test_every_changed_byte_and_every_length_is_refused(space):
    sealed = seal.seal(space, "t.c:1", b"no metastases seen")
    broken = [sealed[:n] for n in range(len(sealed))] + [sealed + b"\x00"]
    broken += [sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :] for n in range(len(sealed))]
    for value in broken:
        with pytest.raises(Tampered):
            seal.unseal(space, "t.c:1", value)
