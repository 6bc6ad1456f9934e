"""A stand-in for SageMaker's training jobs: the API, its checks, and jobs that run with their role's permissions only.

It imports nothing of the emulator. What it needs from the account around it is :class:`account.Account`.
"""
