"""Errors in packaging."""


class PackagingError(Exception):
    """The application cannot be packaged; the message says what is wrong and where."""
