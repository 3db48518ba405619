"""Deploy the packaged application into an AWS account, and remove it again: `python -m infra.deployment --help`.

Two ways: one CloudFormation stack with everything, or `chalice deploy` over a stack with everything but the functions.
docs/deploy.md explains both from the start to a running stack.
"""
