"""``python -m amazon_estimators.cli``."""

import sys

from amazon_estimators.cli import main

sys.exit(main())
