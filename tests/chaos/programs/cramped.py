"""`serve` on a disk that is soon full: no file may grow beyond `LARGEST_FILE` bytes."""

import os
import resource

from jiraiya_events.cli.app import main

if __name__ == "__main__":
    largest = int(os.environ["LARGEST_FILE"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    main()
