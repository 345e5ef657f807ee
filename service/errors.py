"""Every error the service can raise, one tree.

ServiceError
├── StorageError                the data folder, or what lies in it
│   ├── FolderNotWritableError
│   ├── FolderTakenError        another running restbeat holds it
│   ├── DiskFullError
│   ├── NewerDatabaseError      written by a later restbeat
│   ├── ForeignDatabaseError    no SQLite file, a damaged one, or another program's
│   ├── NoSuchSessionError
│   └── NoSuchClientError
├── WorkerError                 the analysis process failed
├── ServeError                  the address or port cannot be served
├── OutputError                 a file cannot be written
├── FormatError                 a format that is not known, or that cannot hold what the session has
├── DifferenceError             figures are no longer the golden ones
├── SealError                   what names a person cannot be sealed or opened
│   ├── KeyMissingError
│   └── SealUnfitError          by another key, or the file is none
├── MailError                   a mail could not be sent; trying again may help
│   ├── MailRefusedError        trying again does not help
│   └── MailUnsureError         the server may have taken it
├── AmissError                  this computer lacks something
└── CutError                    a part of a recording that holds nothing
"""


class ServiceError(Exception):
    """Root of all errors of the service; its text is a sentence for a person."""


class StorageError(ServiceError):
    """The data folder, or what lies in it, failed."""


class FolderNotWritableError(StorageError):
    """The data folder cannot be made or written."""


class FolderTakenError(StorageError):
    """Another running restbeat holds the data folder."""


class DiskFullError(StorageError):
    """There is no room left on the disk."""


class NewerDatabaseError(StorageError):
    """The database was written by a later restbeat."""


class ForeignDatabaseError(StorageError):
    """The file is no SQLite database, is damaged, or belongs to another program."""


class NoSuchSessionError(StorageError):
    """There is no such session, or it is not open for writing."""


class NoSuchClientError(StorageError):
    """There is no such client."""


class WorkerError(ServiceError):
    """The process that analyses sessions died, or did not answer in time."""


class ServeError(ServiceError):
    """The address or port cannot be served."""


class OutputError(ServiceError):
    """A file cannot be written."""


class FormatError(ServiceError):
    """A format that is not known, or that cannot hold what the session has."""


class DifferenceError(ServiceError):
    """Figures are no longer the golden ones."""


class SealError(ServiceError):
    """What names a person cannot be sealed or opened."""


class KeyMissingError(SealError):
    """There is no key file."""


class SealUnfitError(SealError):
    """Another key is needed, or the file holds none."""


class MailError(ServiceError):
    """A mail could not be sent; trying again may help."""


class MailRefusedError(MailError):
    """A mail could not be sent, and trying again does not help."""


class MailUnsureError(MailError):
    """The server fell silent: it may have taken the mail."""


class AmissError(ServiceError):
    """Something that restbeat needs is amiss on this computer."""


class CutError(ServiceError):
    """A part of a recording that holds nothing to play."""


class PortError(Exception):
    """A request that cannot be met; its text is a sentence for a person."""


class UnknownError(PortError):
    """What was asked for is not there."""


class UnknownRoomError(UnknownError):
    """There is no such room."""


class UnknownSessionError(UnknownError):
    """There is no such session."""


class UnknownClientError(UnknownError):
    """There is no such client."""


class RefusedError(PortError):
    """The request does not fit the state of things (phase already moved on, strap already taken)."""


class ConflictError(RefusedError):
    """A strap or a client was claimed a second time; `room` has it, None where another program does."""

    def __init__(self, text: str, room: str | None = None) -> None:
        super().__init__(text)
        self.room = room


class StrapTakenError(ConflictError):
    """A session holds the strap."""
