"""This room's settings, from the environment or .env."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="OCTAVO_", env_file=Path(__file__).resolve().parents[1] / ".env", extra="ignore")

    model: str = "starter"
    max_answer_tokens: int = Field(default=256, ge=8, le=4096)
    context_tokens: int | None = Field(default=None, ge=64)
    """Tokens of sources put before the model, whatever its card recommends; a source is never cut."""
    gate_threshold: float = Field(default=0.2, ge=0, le=1)
    """The probability that the evidence answers below which the answer is that the documents don't say; 0 never refuses."""
    server_window: int | None = Field(default=None, ge=512)
    """The window of a model that isn't our own; None for what LangChain knows of it, else 4,096."""
    api_key: SecretStr | None = None
    """For a model behind openai:NAME@URL."""
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    """Sent to api.openai.com only."""
