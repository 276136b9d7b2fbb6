"""This room's settings, from the environment or .env."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="OCTAVO_", env_file=Path(__file__).resolve().parents[1] / ".env", extra="ignore")

    model: str = "starter"
    max_answer_tokens: int = Field(default=256, ge=8, le=4096)
    context_tokens: int | None = Field(default=None, ge=64)
    """Tokens of sources put before the model, whatever its card recommends; a source is never cut."""
    server_window: int = Field(default=4096, ge=512)
    """The window of a model behind openai:NAME@URL, which its server doesn't tell. Ollama cuts longer prompts silently."""
    api_key: str = Field(default="none", validation_alias="OPENAI_API_KEY")
