"""``python -m amazon_estimators_rehearsal``."""

import sys

try:
    from amazon_estimators_rehearsal.cli import main

    status = main()
except KeyboardInterrupt:  # nothing has been started yet: the modules were still loading
    status = 130
sys.exit(status)
