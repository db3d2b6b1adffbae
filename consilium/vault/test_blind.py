from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from consilium.vault import blind, keys, keystore
from consilium.vault.testdata import independent_decoder as independent

SPELLINGS = [
    ("Müller", "mueller"),
    ("Müller", "muller"),
    ("Mueller", "Müller"),
    ("Mueller", "Muller"),
    ("MÜLLER", "mu\u0308ller"),
    ("Weiß", "weiss"),
    ("WEISS", "Weiß"),
    ("Søren", "soeren"),
    ("Søren", "Soren"),
    ("Šimić", "simic"),
    ("O'Neill", "oneill"),
    ("Anna-Lena Köhler", "koehler anna"),
    ("  anna   müller ", "Anna MÜLLER"),
    ("Łukasz", "lukasz"),
]


def found(tenant, stored, typed):
    filed = set(blind.tokens(tenant, "person.name", stored))
    groups = blind.search_groups(tenant, "person.name", typed)
    return bool(groups) and all(filed & set(group) for group in groups)


@pytest.mark.parametrize(("stored", "typed"), SPELLINGS)
def test_name_is_found_however_it_is_spelled(installation, tenant, stored, typed):
    assert found(tenant, stored, typed)


@pytest.mark.parametrize(
    ("stored", "typed"), [("Müller", "Möller"), ("Anna Chen", "Ben Chen"), ("Chen", "Che"), ("Chen", "")]
)
def test_other_names_are_not_found(installation, tenant, stored, typed):
    assert not found(tenant, stored, typed)


def test_token_is_normalised_and_hashes_dates_as_iso(installation, tenant):
    assert blind.token(tenant, "name", "  ANNA  Müller") == blind.token(tenant, "name", "anna müller")
    day = blind.token(tenant, "person.birth_date", date(1980, 12, 24))
    assert day == blind.token(tenant, "person.birth_date", "1980-12-24")
    assert day != blind.token(tenant, "person.birth_date", "1980-12-25")


def test_tokens_differ_by_organisation_and_domain_and_hide_the_name(installation, tenant):
    one = blind.token(tenant, "name", "anna")
    assert one != blind.token(uuid4(), "name", "anna")
    assert one != blind.token(tenant, "email", "anna")
    assert len(one) == 32
    assert "anna" not in "".join(blind.tokens(tenant, "name", "anna"))


@pytest.mark.parametrize(
    ("typed", "iso"),
    [
        ("24.12.1980", "1980-12-24"),
        (" 1.2.1999 ", "1999-02-01"),
        ("1980-12-24", "1980-12-24"),
        ("31.2.1980", None),
        ("12/24/1980", None),
        ("", None),
    ],
)
def test_iso_date(typed, iso):
    assert blind.iso_date(typed) == iso


def test_frozen_token(installation, tmp_path, settings):
    frozen = independent.load(str(Path(__file__).parent / "testdata" / "vectors.json"))["keystore"]
    import base64
    import json

    settings.KEY_DIR = tmp_path / "frozen"
    settings.KEY_DIR.mkdir(mode=0o700)
    root = settings.KEY_DIR / "root.key"
    root.write_bytes(base64.b64encode(bytes.fromhex(frozen["root"])))
    root.chmod(0o600)
    tenant = UUID(frozen["tenant_record"]["tenant"])
    keystore.current().create("tenants", tenant, json.dumps(frozen["tenant_record"]).encode())
    for vector in frozen["tokens"]:
        assert blind.token(tenant, vector["domain"], vector["value"]) == vector["token"]
    assert keys.index_key(tenant).version == 1
