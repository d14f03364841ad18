"""The wire: envelopes, payloads, ids, dead-letter headers, JSON Schemas and AsyncAPI.

Everything here is pure. Reading: `read_envelope` (never raises), then `read_request` or
`read_cancel`. Writing: `encode_outcome`, `encode_progress`, `dead_letter_headers`. The documents
others build against are generated from the same models by `schemas` and `asyncapi`.
"""
