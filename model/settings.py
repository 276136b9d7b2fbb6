"""This room's settings, from the environment or .env: OCTAVO_DEVICE, OCTAVO_DTYPE, OCTAVO_QUANTIZE."""

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="OCTAVO_", env_file=Path(__file__).resolve().parents[1] / ".env", extra="ignore")

    device: str = "auto"
    dtype: str = "auto"
    quantize: Literal["int8", "int4"] | None = None
