"""``python -m amazon_estimators_rehearsal``."""

import sys

from amazon_estimators_rehearsal.cli import main

sys.exit(main())
