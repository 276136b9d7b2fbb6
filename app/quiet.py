"""Nothing leaves the machine: every part that would report home is told not to, before it is imported."""

import os


def keep_quiet() -> None:
    """Switches off telemetry and tracing; OCTAVO_TRACING=1 leaves the user's own LangSmith tracing alone."""
    os.environ["ANONYMIZED_TELEMETRY"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if os.environ.get("OCTAVO_TRACING") != "1":
        for name in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGCHAIN_TRACING"):
            os.environ[name] = "false"
