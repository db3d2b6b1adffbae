"""Images in the inbox, put there the way the gateway does it."""

from typing import Any

from consilium.gateways.dicomweb.testing_files import image
from consilium.gateways.dimse.peers import Sender
from consilium.imaging import header
from consilium.people.models import Organisation
from consilium.records import dicom, inbox
from consilium.records.instances import NewInstance
from consilium.records.models import InboxStudy
from consilium.vault.segments import SegmentWriter, joined


def arrive(organisation: Organisation, *, images: int = 2, sender: str = "PACS1", **changed: Any) -> InboxStudy:
    """Images of Anna Berger unless told otherwise; keywords as in testing_files.image."""
    files = [image(number, **changed) for number in range(1, images + 1)]
    heads = [dicom.as_kept(header.scan(data, size=len(data))) for data in files]
    study = inbox.open_study(organisation.pk, heads[0], by=Sender(sender))
    with SegmentWriter(space=study, tenant=organisation.pk) as out:
        new = [NewInstance(joined(out.add(data)), head) for data, head in zip(files, heads, strict=True)]
        out.finish()
    inbox.add(study, organisation.pk, new)
    return InboxStudy.objects.get(pk=study)
