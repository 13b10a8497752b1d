"""What every section of the configuration is built of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """A part of the configuration: unknown fields are refused, defaults are checked too."""

    model_config = ConfigDict(extra="forbid", validate_default=True, protected_namespaces=())
