"""Why a game is played uncompiled."""


class UncompilableError(Exception):
    """A round cannot be traced or compiled; the message says why in a few words."""
