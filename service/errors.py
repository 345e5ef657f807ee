"""Every error that the service raises, in one tree. A class that is not in this file stands with the module after it.

ServiceError
├── StorageError                the data folder or its database failed
│   ├── FolderNotWritableError
│   ├── FolderTakenError        another running restbeat uses it
│   ├── DiskFullError
│   ├── NewerDatabaseError      written by a later restbeat
│   ├── ForeignDatabaseError    not a SQLite file, damaged, or another program's
│   ├── DamagedChunkError       packed packets that cannot be read
│   ├── NoSuchSessionError
│   └── NoSuchClientError
├── WorkerError                 the analysis process failed
├── ServeError                  the address or port cannot be served
├── OutputError                 a file cannot be written
├── FormatError                 an unknown format, or one that cannot hold the session's data
├── DifferenceError             figures differ from the golden ones
├── CipherError                 identities cannot be encrypted or decrypted, or a key file fails
│   ├── KeyMissingError
│   └── WrongKeyError           encrypted with another key, or the key file holds none
├── MailError                   a mail could not be sent; trying again may help
│   ├── MailRefusedError        trying again does not help
│   └── MailUnsureError         the server may have accepted it
├── AmissError                  this computer lacks something
├── CutError                    a part of a recording that holds nothing to play
├── NoPaperError                rendering.pdf: WeasyPrint is not installed, within the worker process
└── RequestError                a request cannot be met: the pages answer with its text
    ├── UnknownError            404
    │   ├── UnknownRoomError
    │   ├── UnknownSessionError
    │   └── UnknownClientError
    ├── RefusedError            409: it does not fit the present state
    │   ├── UnconfirmedError    it is met when it is sent with a confirmation
    │   └── ConflictError       a strap or a client is in use already
    │       └── StrapTakenError
    ├── LoginRefusedError       accounts.models: 403
    ├── NotAllowedError         accounts.models: 403
    ├── TooOftenError           accounts.models: 429
    ├── LinkRefusedError        follow_up.models: 404 on the client's own pages
    ├── LateError               follow_up.models: a follow-up that is answered, closed or not open yet
    └── PaperError              rendering.pdf: 503, a PDF cannot be made on this computer

Any other error of this tree is answered with 503 and its sentence. An `except ServiceError` around code that can refuse a request
comes after one for `RequestError`, so that a refusal is neither wrapped nor taken for a failure.
"""


class ServiceError(Exception):
    """Root of all errors of the service; the text is a sentence for a person."""


class StorageError(ServiceError):
    """Failure of the data folder or its database."""


class FolderNotWritableError(StorageError):
    """Data folder that cannot be made or written."""


class FolderTakenError(StorageError):
    """Data folder that another running restbeat uses."""


class DiskFullError(StorageError):
    """Disk without free space."""


class NewerDatabaseError(StorageError):
    """Database that a later restbeat wrote."""


class ForeignDatabaseError(StorageError):
    """File that is no SQLite database, is damaged, or belongs to another program."""


class DamagedChunkError(StorageError):
    """Packed packets that are damaged, or of a format that this restbeat does not know."""


class NoSuchSessionError(StorageError):
    """Session that does not exist, or is not in the state that the call needs."""


class NoSuchClientError(StorageError):
    """Client that does not exist."""


class WorkerError(ServiceError):
    """Analysis process that died or did not answer in time."""


class ServeError(ServiceError):
    """Address or port that cannot be served."""


class OutputError(ServiceError):
    """File that cannot be written."""


class FormatError(ServiceError):
    """Unknown format, or one that cannot hold the session's data."""


class DifferenceError(ServiceError):
    """Figures that differ from the golden ones."""


class CipherError(ServiceError):
    """Identity that cannot be encrypted or decrypted, or key file that cannot be read or made."""


class KeyMissingError(CipherError):
    """Key file that does not exist."""


class WrongKeyError(CipherError):
    """Key that does not fit, or key file that holds none."""


class MailError(ServiceError):
    """Mail that could not be sent; trying again may help."""


class MailRefusedError(MailError):
    """Mail that could not be sent; trying again does not help."""


class MailUnsureError(MailError):
    """Mail that the server may have accepted before it stopped answering."""


class AmissError(ServiceError):
    """Something that restbeat needs and this computer lacks."""


class CutError(ServiceError):
    """Part of a recording that holds nothing to play."""


class RequestError(ServiceError):
    """Request that cannot be met."""


class UnknownError(RequestError):
    """Request for something that does not exist."""


class UnknownRoomError(UnknownError):
    """Request for a room that does not exist."""


class UnknownSessionError(UnknownError):
    """Request for a session that does not exist."""


class UnknownClientError(UnknownError):
    """Request for a client who does not exist."""


class RefusedError(RequestError):
    """Request that does not fit the present state: the phase has moved on, the strap is taken."""


class UnconfirmedError(RefusedError):
    """Request that is met only when it is sent again with a confirmation."""


class ConflictError(RefusedError):
    """Second claim of a strap or a client; `room` has it, None where another program does."""

    def __init__(self, text: str, room: str | None = None) -> None:
        super().__init__(text)
        self.room = room


class StrapTakenError(ConflictError):
    """Claim of a strap that a session uses."""
