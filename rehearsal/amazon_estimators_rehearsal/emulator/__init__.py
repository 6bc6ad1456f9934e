"""The emulator's process: MiniStack, with SageMaker added and corrected where it differs from AWS.

MiniStack lacks SageMaker, and its Step Functions does not check the permissions of a state machine's role.
This package adds both, and corrects the differences from AWS that break a pipeline; docs/limits.md lists
them. It is the only one that touches MiniStack's private names, as of its pinned version.

:mod:`server` starts it as ``python -m amazon_estimators_rehearsal.emulator FD``, with a listening socket FD.
"""
