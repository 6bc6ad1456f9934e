"""A stand-in for SageMaker's training jobs: the API, its checks, jobs with only their role's permissions.

It imports nothing of the emulator. What it needs from the account around it is :class:`account.Account`.
"""
