"""People: their profiles, their consent, and their leaving."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from chalicelib.errors import NotFound, Unprocessable
from chalicelib.spendsense.models import Consent, ConsentChange, ConsentPolicy, ConsentRecord, Profile, ProfileChange
from chalicelib.spendsense.ports import Announcements, Consents, People

NO_PROFILE = "There is no profile yet: PUT /api/v1/users/me/profile makes one."


class Profiles:
    """Profiles and consents, which people give and may revoke."""

    def __init__(
        self,
        *,
        people: People,
        consents: Consents,
        announcements: Announcements,
        policy: ConsentPolicy,
        clock: Callable[[], datetime],
    ) -> None:
        self._people = people
        self._consents = consents
        self._announcements = announcements
        self._policy = policy
        self._clock = clock

    def profile(self, subject: UUID) -> Profile:
        """The caller's profile; NotFound until there is one."""
        found = self._people.find(subject)
        if found is None:
            raise NotFound(NO_PROFILE)
        return found

    def register(self, subject: UUID, change: ProfileChange) -> Profile:
        """Make or change the caller's profile; a new one is announced as a signup."""
        profile, new = self._people.register(subject, change, self._clock())
        if new:
            self._announcements.announce("User Signup", {"subject": str(subject)})
        return profile

    def erase(self, subject: UUID) -> None:
        """Delete the person and everything about them; doing it twice is no error."""
        self._people.erase(subject)

    def consent(self, subject: UUID) -> Consent:
        """The consent and its history; without a decision there is no consent."""
        history = self._consents.history(subject)
        if history is None:
            raise NotFound(NO_PROFILE)
        return Consent(granted=bool(history) and history[0].granted, history=history, policy=self._policy)

    def decide(self, subject: UUID, change: ConsentChange) -> Consent:
        """Grant or revoke; revoking erases at once what was derived, granting has it computed.

        What is granted is the policy as it is now: Unprocessable for another version.
        """
        if change.granted and change.policy_version != self._policy.policy_version:
            raise Unprocessable.of("policy_version", f"is {change.policy_version!r}", self._policy.policy_version)
        record = ConsentRecord(granted=change.granted, policy_version=change.policy_version, recorded_at=self._clock())
        if not self._consents.record(subject, record):
            raise NotFound(NO_PROFILE)
        if change.granted:
            self._announcements.announce("Consent Granted", {"subject": str(subject)})
        return self.consent(subject)
