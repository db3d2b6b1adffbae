"""`make bench`: the speed of the data plane beside an unencrypted Orthanc, in paired, interleaved rounds."""
