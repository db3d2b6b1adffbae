"""DICOMweb (PS3.18): STOW-RS, QIDO-RS and WADO-RS with one root a case, on bare ASGI."""
