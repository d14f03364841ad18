"""Notes of what runs, in a file per process that outlives it; read by those who come after.

::

    <data directory>/journals/
    ├── lock            held while journals are made and read
    ├── <id>.journal    one per process, locked while it lives; see `layout`
    └── <id>.crash      what Python's faulthandler wrote when the process crashed by itself

Nothing here is ever flushed to the disk: the file lives in the kernel's page cache, which a killed
process does not take with it. Should the machine itself go down, what ran is forgotten, and rightly
so: no record did that.
"""

from jiraiya_events.adapters.journal.deaths import Death
from jiraiya_events.adapters.journal.file_journal import FileJournal

__all__ = ["Death", "FileJournal"]
