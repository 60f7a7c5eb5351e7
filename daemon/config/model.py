"""Base of all configuration."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
