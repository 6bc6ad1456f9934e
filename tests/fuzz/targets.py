"""All targets, by name."""

from __future__ import annotations

from fuzz.documents import DOCUMENTS
from fuzz.models import MODELS
from fuzz.sent_by_others import SENT_BY_OTHERS
from fuzz.tables import TABLES

TARGETS = {target.name: target for target in (*TABLES, *MODELS, *DOCUMENTS, *SENT_BY_OTHERS)}
