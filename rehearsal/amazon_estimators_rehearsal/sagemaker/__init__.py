"""Stand in for SageMaker: the API, its checks, and jobs that have only their role's permissions.

The package imports nothing from the emulator. It reaches the account through :class:`account.Account`.
"""
