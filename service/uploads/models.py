"""A file that was brought to a client's page, what it holds, and what a person decides about it."""

from typing import Annotated, Literal

import msgspec

SessionKind = Literal["massage", "rest"]


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """The beats of a file as a small drawing."""

    lines: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="Points of polylines in a box of 600 by 80; a new line begins after each gap."),
    ]
    low: Annotated[float, msgspec.Meta(description="Value at the lower edge.")]
    high: Annotated[float, msgspec.Meta(description="Value at the upper edge.")]
    unit: Literal["ms", "bpm"]


class FilePhase(msgspec.Struct, frozen=True, kw_only=True):
    """A phase that the file itself tells, in s from the beginning."""

    phase: str
    start_s: float
    end_s: float


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of a file. The texts are cleaned, but they are another program's: show them as text only."""

    format: Annotated[str, msgspec.Meta(description="Name of the format.")]
    told: Annotated[tuple[str, ...], msgspec.Meta(description="As what it was read, and the evidence, a sentence each.")]
    warnings: Annotated[tuple[str, ...], msgspec.Meta(description="The first of what could not be read.")] = ()
    more_warnings: Annotated[int, msgspec.Meta(description="How many more there are.")] = 0
    began_utc: Annotated[str | None, msgspec.Meta(description="When it began, as the file says; null where it does not.")] = None
    began_local: Annotated[
        str | None, msgspec.Meta(description="The date and time in the file where it tells no time zone: 2026-05-03T08:12:00.")
    ] = None
    duration_s: float
    beats: int
    used_pct: Annotated[float | None, msgspec.Meta(description="Share of the beats that are used; null without beats.")] = None
    mean_hr_bpm: float | None = None
    reasons: Annotated[tuple[str, ...], msgspec.Meta(description="Why figures are withheld.")] = ()
    heart_rate_only: Annotated[bool, msgspec.Meta(description="Whether it holds heart rates and no beats.")] = False
    kind: SessionKind = "massage"
    phases: Annotated[tuple[FilePhase, ...], msgspec.Meta(description="Empty where the file tells none.")] = ()
    strip: Strip


class ReadUpload(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of reading a file."""

    contents: Contents
    digest: str
    """Digest of the beats: equal for equal beats, whatever the format."""
    first: bytes
    """The first beats: whatever begins otherwise holds other beats."""


class Twin(msgspec.Struct, frozen=True, kw_only=True):
    """A stored session with the same beats."""

    session: int
    client: str | None


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that waits for a decision."""

    upload: Annotated[str, msgspec.Meta(description="What names it in addresses.")]
    name: Annotated[str, msgspec.Meta(description="Name of the file, cleaned. It is not kept with the session.")]
    contents: Contents
    twin: Annotated[Twin | None, msgspec.Meta(description="A stored session with the same beats.")] = None
    until_utc: Annotated[str, msgspec.Meta(description="When it is erased unless it is decided on.")]


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's decision on what a file becomes."""

    kind: SessionKind = "massage"
    began_local: Annotated[
        Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$")] | None,
        msgspec.Meta(
            description="When it began, in the practice's time zone, where the file does not say; null: nobody knows, and the "
            "session stays out of the course."
        ),
    ] = None
    parts: Annotated[
        tuple[
            Annotated[float, msgspec.Meta(gt=0, le=1440)],
            Annotated[float, msgspec.Meta(gt=0, le=1440)],
            Annotated[float, msgspec.Meta(ge=0, le=1440)],
        ]
        | None,
        msgspec.Meta(description="Minutes of baseline, massage and recovery; null: phases as in the file, or else one phase."),
    ] = None
    confirmed: Annotated[bool, msgspec.Meta(description="Whether it shall be added although its beats are stored already.")] = (
        False
    )


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """The session that a file has become."""

    session: int
