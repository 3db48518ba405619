"""What a deployment says when it cannot go on."""

from collections.abc import Iterable


class DeploymentError(Exception):
    """The deployment cannot go on; the message says why, and what to do."""

    @classmethod
    def of(cls, what: str, problems: Iterable[str]) -> "DeploymentError":
        """One error that names every problem."""
        return cls("\n".join((what, *(f"  - {problem}" for problem in problems))))
