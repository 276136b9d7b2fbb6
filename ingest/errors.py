"""What can go wrong in this room, and the cure.

IngestError
├── PathError        a path to add or read that isn't there or isn't in the library
├── LibraryError     a library that is absent, damaged or written by a newer Octavo
│   └── LibraryBusy  another process is writing to it
└── EmbedderError    the embedder can't be found, isn't what it should be, or isn't the library's

One file that can't be read is no error: it is a line of the receipt.
"""


class IngestError(Exception):
    """A mistake that a user can mend: `str(error)` says what, `error.hint` says how."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class PathError(IngestError):
    pass


class LibraryError(IngestError):
    pass


class LibraryBusy(LibraryError):
    pass


class EmbedderError(IngestError):
    pass
