"""What can go wrong in this room, and the cure.

ModelError
├── SourceError      the named model can't be found, read or understood
├── PrecisionError   a number format that Gemma 2 can't run in
├── WindowError      more tokens than the model can hold
└── TrainingError    a run whose weights became no numbers
"""


class ModelError(Exception):
    """A mistake that a user can mend: `str(error)` says what, `error.hint` says how."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SourceError(ModelError):
    pass


class PrecisionError(ModelError):
    pass


class WindowError(ModelError):
    pass


class TrainingError(ModelError):
    pass
