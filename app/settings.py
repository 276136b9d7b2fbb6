"""This room's one setting, from the environment and the `.env` of the other rooms."""

from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,128}$")]
"""What stands in an address and in a cookie as it is, and can't be guessed."""


class Settings(BaseSettings):
    """`OCTAVO_TOKEN`."""

    model_config = SettingsConfigDict(env_prefix="OCTAVO_", env_file=Path(__file__).resolve().parents[1] / ".env", extra="ignore")

    token: Token | None = None
    """What opens the page and the API; None: a new one each time that they start."""
