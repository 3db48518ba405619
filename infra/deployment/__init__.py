"""Bring the packaged application into an AWS account, and take it out again: `python -m infra.deployment --help`.

Two ways: one CloudFormation stack with everything, or `chalice deploy` over a stack with everything but the functions.
docs/deploy.md tells both from nothing to a running stack.
"""
