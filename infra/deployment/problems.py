"""Errors of a deployment."""

from collections.abc import Iterable


class DeploymentError(Exception):
    """The deployment cannot continue; the message says why and what to do."""

    @classmethod
    def of(cls, what: str, problems: Iterable[str]) -> "DeploymentError":
        """One error that lists every problem."""
        return cls("\n".join((what, *(f"  - {problem}" for problem in problems))))
