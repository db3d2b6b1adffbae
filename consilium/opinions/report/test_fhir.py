"""The FHIR document: valid R4, every reference resolves, every record with its hash (FHIR R4 §3.3.1)."""

import base64
import json

import pytest
from fhir.resources.R4B.bundle import Bundle

from consilium.opinions.report.fhir import fhir_document
from consilium.testing.report_sample import sample


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize("language", ["en", "de"])
def test_document_is_valid_and_whole(language):
    found = fhir_document(sample(language))
    Bundle.model_validate(found)
    assert found["type"] == "document"
    assert found["entry"][0]["resource"]["resourceType"] == "Composition"
    known = {entry["fullUrl"] for entry in found["entry"]}
    assert set(references([entry["resource"] for entry in found["entry"]])) <= known


def test_every_record_is_there_with_its_hash():
    content = sample("en")
    text = json.dumps(fhir_document(content))
    for record in content.records_seen:
        named = base64.urlsafe_b64encode(bytes.fromhex(record.sha256)).decode().rstrip("=")  # RFC 6920 §3
        assert named in text
