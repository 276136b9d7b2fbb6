"""What can go wrong in this room, and the cure.

RagError
├── QuestionError      a question that can't be asked: empty, larger than the window, about documents that aren't there
├── UnsupportedError   something that our own Gemma 2 doesn't do: tools, pictures
├── ReaderError        a reader that is missing, damaged or made for another encoder
├── ServerError        another model's server can't be reached or refuses
├── ReplyError         a model replied with nothing
└── EvalError          a question file that can't be read
"""


class RagError(Exception):
    """A mistake that a user can mend: `str(error)` says what, `error.hint` says how."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class QuestionError(RagError):
    pass


class UnsupportedError(RagError, NotImplementedError):
    pass


class ServerError(RagError):
    pass


class ReplyError(RagError):
    pass


class EvalError(RagError):
    pass


class ReaderError(RagError):
    pass
