"""Signed reports: two PDFs and a FHIR document out of plain values, and the checks around them."""
