"""Import the emulator's modules into the tests' process, without the logging that they set up."""

from __future__ import annotations

import logging

_root = logging.getLogger()
_handlers, _level = [*_root.handlers], _root.level

from ministack.core.responses import set_request_region  # noqa: E402
from ministack.services import s3, stepfunctions  # noqa: E402

_root.handlers[:] = _handlers
_root.setLevel(_level)

__all__ = ["s3", "set_request_region", "stepfunctions"]
