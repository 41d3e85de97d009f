"""What a form that filters a list may leave empty: nothing chosen is everything."""

from typing import Annotated

from pydantic import BeforeValidator, Field

Chosen = BeforeValidator(lambda given: given or None)
ChosenText = Annotated[Annotated[str, Field(max_length=1000)] | None, Chosen]
