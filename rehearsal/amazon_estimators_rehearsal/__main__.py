"""``python -m amazon_estimators_rehearsal``."""

import sys

try:
    from amazon_estimators_rehearsal.cli import main

    status = main()
except KeyboardInterrupt:  # nothing had been started yet: the modules were loading
    status = 130
sys.exit(status)
