"""``python -m amazon_estimators_rehearsal``."""

import sys

from .cli import main

sys.exit(main())
