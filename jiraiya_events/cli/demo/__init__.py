"""`jiraiya demo`: a real Kafka, the service, a stand-in model, and stories arriving.

`scenario` (what is asked) → `stage` (what is started) → `play` (publishing and waiting) →
`board` (what is known) → `view` (how it looks).
"""
