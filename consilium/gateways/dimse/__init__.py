"""The DIMSE gateway: a modality or an archive sends images by C-STORE (DICOM PS3.4 Annex B, PS3.7 §9.1.1).

A process of its own (`consilium dimse`). `peers` says who may send and where to, `server` speaks the protocol,
`filing` makes what arrived durable, many images with one wait for the disk.
"""
