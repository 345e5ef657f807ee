"""The items that studies of heart rate variability report beside the figures (Quigley et al. 2024). All of them are optional."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

Sex = Literal["female", "male", "other"]
Text = Annotated[str, msgspec.Meta(max_length=300)]


class ReportingItems(msgspec.Struct, frozen=True, kw_only=True):
    """The items that a therapist may fill in; None or empty where nothing was said."""

    birth_year: Annotated[Annotated[int, msgspec.Meta(ge=1900, le=2100)] | None, msgspec.Meta(description="Of the client.")] = (
        None
    )
    sex: Annotated[Sex | None, msgspec.Meta(description="Of the client.")] = None
    medication: Annotated[Text, msgspec.Meta(description="Taken on that day, or none.")] = ""
    caffeine: Annotated[Text, msgspec.Meta(description="What and how long before, or none.")] = ""


class Reported(ReportingItems, frozen=True, kw_only=True):
    """The items of a stored session."""

    time_of_day: Annotated[str, msgspec.Meta(description="When it began, on the practice's clock: 14:05.")] = ""

    def told(self) -> Iterator[tuple[str, str]]:
        """Yield each item that is known, by its name, as text."""
        for name in self.__struct_fields__:
            if value := getattr(self, name):
                yield name, str(value)
