"""Resumable uploads by tus 1.0: core, creation, creation-with-upload, checksum, termination, expiration."""
