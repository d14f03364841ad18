"""Ordered, parallel, exactly-once consumption of a partitioned log.

A partition is the unit of ownership, order, transaction and recovery. Each assigned partition
has one `Session` with its own offset tracker, key lanes and transactional writer. The way of a
record through this package, file by file::

    engine.accept → session (gate, limits) → lanes → dispatcher (slots) → handler
                  ← session (verdict)      → commit loop → one transaction

The engine knows neither what the records mean, nor the client library behind its ports.
"""
