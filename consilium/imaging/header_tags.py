"""Which data elements a header keeps, and the VRs of the dictionary (PS3.6) for data without them."""

from __future__ import annotations

from functools import lru_cache

from pydicom.datadict import DicomDictionary, dictionary_VR, private_dictionary_VR, tag_for_keyword

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
_JPEG = "1.2.840.10008.1.2.4."
# PS3.5 §10 and Annex A: pixel data in fragments, the rest explicit VR little endian; 52…56 and 58…66 of old discs
# were retired in 2001 (PS3.6 Table A-1)
_JPEG_AND_VIDEO = (
    *range(50, 67), 70, 80, 81, 90, 91, 92, 93, 100, 100.1, 101, 101.1, 102, 102.1, 103, 103.1, 104, 104.1, 105, 105.1,
    106, 106.1, 107, 108, 110, 111, 112, 201, 202, 203,
)  # fmt: skip
ENCAPSULATED = frozenset(
    [f"1.2.840.10008.1.2.4.{last}" for last in _JPEG_AND_VIDEO] + ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.8.1"]
)
# Deflated (PS3.5 §A.5), JPIP referenced deflate: no offset in the file leads to the pixels
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
# PS3.18 Tables 10.6.1-3 (study), -4 (series) and -5 (instance), required and common optional attributes
_QIDO = """
SpecificCharacterSet StudyDate StudyTime AccessionNumber ReferringPhysicianName TimezoneOffsetFromUTC PatientName
PatientID IssuerOfPatientID PatientBirthDate PatientBirthTime PatientSex OtherPatientIDs PatientAge PatientSize
PatientWeight StudyInstanceUID StudyID StudyDescription ProcedureCodeSequence PhysiciansOfRecord
NameOfPhysiciansReadingStudy AdmittingDiagnosesDescription PatientComments
Modality SeriesDescription SeriesInstanceUID SeriesNumber SeriesDate SeriesTime PerformedProcedureStepStartDate
PerformedProcedureStepStartTime PerformedProcedureStepDescription RequestAttributesSequence BodyPartExamined
Laterality ProtocolName PerformingPhysicianName OperatorsName
SOPClassUID SOPInstanceUID InstanceNumber Rows Columns BitsAllocated NumberOfFrames InstanceCreationDate
InstanceCreationTime ContentDate ContentTime AcquisitionDate AcquisitionTime AcquisitionDateTime AcquisitionNumber
ImageComments ContentLabel ContentDescription DocumentTitle CompletionFlag VerificationFlag
MIMETypeOfEncapsulatedDocument ConceptNameCodeSequence
"""
# what adequacy and the viewers ask for besides
_IMAGE = """
ImageType ConversionType Manufacturer InstitutionName InstitutionalDepartmentName StationName ManufacturerModelName
SoftwareVersions AnatomicRegionSequence ImageLaterality ViewPosition ViewCodeSequence PatientPosition
PatientOrientation ContrastBolusAgent ContrastBolusRoute SliceThickness SpacingBetweenSlices SliceLocation KVP
ConvolutionKernel MagneticFieldStrength RepetitionTime EchoTime SequenceName ScanningSequence
ImagePositionPatient ImageOrientationPatient FrameOfReferenceUID PixelSpacing ImagerPixelSpacing PixelAspectRatio
SamplesPerPixel PhotometricInterpretation PlanarConfiguration BitsStored HighBit PixelRepresentation WindowCenter
WindowWidth VOILUTFunction RescaleIntercept RescaleSlope RescaleType BurnedInAnnotation LossyImageCompression
LossyImageCompressionRatio LossyImageCompressionMethod PatientIdentityRemoved TemporalPositionIdentifier
ContainerIdentifier SpecimenDescriptionSequence TotalPixelMatrixColumns TotalPixelMatrixRows
TotalPixelMatrixFocalPlanes ImagedVolumeWidth ImagedVolumeHeight SharedFunctionalGroupsSequence
"""

# the dictionary without its three entries that have no VR (item and delimiters)
VRS: dict[int, str] = {tag: str(row[0]) for tag, row in DicomDictionary.items() if row[0] != "NONE"}


def _tag(keyword: str) -> int:
    found = tag_for_keyword(keyword)
    if found is None:
        raise LookupError(f"no attribute {keyword}")
    return found


# tag → the key of the DICOM JSON model
WANTED: dict[int, str] = {tag: f"{tag:08X}" for tag in sorted(map(_tag, (_QIDO + _IMAGE).split()))}


@lru_cache(maxsize=4096)
def dictionary_vr(tag: int) -> str:
    """The VR in PS3.6, "UL" for a group length, "UN" for an unknown standard tag. May be ambiguous ("US or SS")."""
    found = VRS.get(tag)
    if found is not None:
        return found
    try:
        return str(dictionary_VR(tag))  # repeating groups
    except KeyError:
        return "UL" if not tag & 0xFFFF else "UN"


@lru_cache(maxsize=4096)
def private_vr(tag: int, creator: str) -> str:
    """The VR of a private element by its creator, "UN" where nobody knows."""
    try:
        return str(private_dictionary_VR(tag, creator))
    except (KeyError, TypeError):
        return "UN"
