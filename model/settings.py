"""This room's settings, from the environment or .env: OCTAVO_DEVICE, OCTAVO_DTYPE."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="OCTAVO_", env_file=Path(__file__).resolve().parents[1] / ".env", extra="ignore")

    device: str = "auto"
    dtype: str = "auto"
