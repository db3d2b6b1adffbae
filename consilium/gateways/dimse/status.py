"""What a C-STORE is answered with: PS3.4 Table B.2-1, PS3.7 Annex C."""

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
DUPLICATE = 0x0111  # the UID is taken by other bytes
INVALID_INSTANCE = 0x0117
NOT_AUTHORISED = 0x0124
OUT_OF_RESOURCES = 0xA700
NOT_MATCHING = 0xA900  # the data set does not match the SOP class or instance that the command names
NOT_UNDERSTOOD = 0xC000

# (0000,0902) Error Comment, at most 64 characters
COMMENTS = {
    PROCESSING_FAILURE: "The image could not be stored; please send it again",
    DUPLICATE: "Another image with this UID is here already",
    INVALID_INSTANCE: "The SOP Instance UID is not valid",
    NOT_AUTHORISED: "This case takes no images at present",
    OUT_OF_RESOURCES: "There is no room for this image",
    NOT_MATCHING: "The data set names another SOP class or instance",
    NOT_UNDERSTOOD: "The data set is damaged or not complete",
}
