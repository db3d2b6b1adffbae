"""Which attributes a search answers with, and of which level they are (PS3.18 Tables 10.6.3-3 to 10.6.3-5)."""

from functools import lru_cache

from pydicom.datadict import dictionary_VR, tag_for_keyword

from consilium.gateways.dicomweb.reply import Refused

STUDY, SERIES, INSTANCE = 0, 1, 2


def _keys(keywords: str) -> tuple[str, ...]:
    found = []
    for keyword in keywords.split():
        tag = tag_for_keyword(keyword)
        assert tag is not None, keyword
        found.append(f"{tag:08X}")
    return tuple(found)


# always in the answer, empty when the image does not say
REQUIRED: tuple[tuple[str, ...], ...] = (
    _keys(
        "StudyDate StudyTime AccessionNumber ReferringPhysicianName PatientName PatientID PatientBirthDate PatientSex "
        "StudyInstanceUID StudyID"
    ),
    _keys("Modality SeriesInstanceUID SeriesNumber"),
    _keys("SOPClassUID SOPInstanceUID InstanceNumber"),
)
# in the answer when the image says something
USUAL: tuple[tuple[str, ...], ...] = (
    _keys("TimezoneOffsetFromUTC StudyDescription"),
    _keys(
        "TimezoneOffsetFromUTC SeriesDescription PerformedProcedureStepStartDate PerformedProcedureStepStartTime "
        "RequestAttributesSequence"
    ),
    _keys("TimezoneOffsetFromUTC Rows Columns BitsAllocated NumberOfFrames"),
)
# attributes of patient and study, and of a series (PS3.3 §C.7.1, C.7.2, C.7.3); all others are an instance's
_OF_STUDY = frozenset(
    _keys(
        "StudyDate StudyTime AccessionNumber ReferringPhysicianName PatientName PatientID IssuerOfPatientID "
        "PatientBirthDate PatientBirthTime PatientSex OtherPatientIDs PatientAge PatientSize PatientWeight "
        "StudyInstanceUID StudyID StudyDescription ProcedureCodeSequence PhysiciansOfRecord "
        "NameOfPhysiciansReadingStudy AdmittingDiagnosesDescription PatientComments TimezoneOffsetFromUTC "
        "InstitutionName SpecificCharacterSet"
    )
)
_OF_SERIES = frozenset(
    _keys(
        "Modality SeriesDescription SeriesInstanceUID SeriesNumber SeriesDate SeriesTime "
        "PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProcedureStepDescription "
        "RequestAttributesSequence BodyPartExamined Laterality ProtocolName PerformingPhysicianName OperatorsName "
        "Manufacturer InstitutionalDepartmentName StationName ManufacturerModelName SoftwareVersions "
        "PatientPosition FrameOfReferenceUID"
    )
)
AVAILABILITY, RETRIEVE_URL, CHARACTER_SET = "00080056", "00081190", "00080005"
MODALITIES, CLASSES = "00080061", "00080062"
SERIES_COUNT, STUDY_COUNT, SERIES_INSTANCES = "00201206", "00201208", "00201209"
# counted, not read
OF_STUDY_COUNTED = (MODALITIES, SERIES_COUNT, STUDY_COUNT)
COMPUTED = frozenset(
    {AVAILABILITY, RETRIEVE_URL, CHARACTER_SET, MODALITIES, CLASSES, SERIES_COUNT, STUDY_COUNT, SERIES_INSTANCES}
)


@lru_cache(maxsize=4096)
def key_of(name: str) -> str:
    """The eight hex digits of an attribute given by keyword or tag. Raises Refused (400)."""
    if len(name) == 8 and all(char in "0123456789abcdefABCDEF" for char in name):
        return name.upper()
    tag = tag_for_keyword(name) if name.isalnum() else None
    if tag is None:
        raise Refused(400, "The search names an attribute that is not in the DICOM dictionary (PS3.6).")
    return f"{tag:08X}"


@lru_cache(maxsize=4096)
def vr_of(key: str) -> str:
    """The VR in the dictionary; UN where it has none."""
    try:
        return str(dictionary_VR(int(key, 16)))[:2]
    except KeyError:
        return "UN"


def level_of(key: str) -> int:
    """Whether an attribute is of the study (and patient), the series or the instance."""
    if key in _OF_STUDY or key in (MODALITIES, CLASSES, SERIES_COUNT, STUDY_COUNT):
        return STUDY
    return SERIES if key in _OF_SERIES or key == SERIES_INSTANCES else INSTANCE
