"""This room's settings, from the environment or .env: OCTAVO_DEVICE, OCTAVO_DTYPE."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="OCTAVO_", env_file=".env", extra="ignore")

    device: str = "auto"
    dtype: str = "bfloat16"
