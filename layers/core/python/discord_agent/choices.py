"""What may be chosen of a deployment: parameters that functions read, and settings of how it is made."""

from typing import Final

from discord_agent.declaration import Setting

PARAMETERS: Final = {
    "DISCORD_API_URL": "https://discord.com/api/v10",
    "DISCORD_BOT_ID": "",
    "DISCORD_PUBLIC_KEY": "",
    "BOT_USERNAME": "nepnep",
    "OTHER_BOT_USERNAME": "bot2",
    "STALENESS_MINUTES": "30",
    "DEBOUNCE_SECONDS": "2",
    "LITELLM_BASE_URL": "",
    "PLANNER_MODEL_ID": "kimi-k2.5",
    "DECISION_MODEL_ID": "gemini-2.5-flash-lite",
    "REFLECTOR_MODEL_ID": "kimi-k2.5",
    "TITLE_MODEL_ID": "gemini-2.5-flash-lite",
    "MCP_SERVERS": "",
    "LOG_LEVEL": "INFO",
}
"""Deployment parameters with their defaults (behaviour contract, section 20)."""

REQUIRED: Final = ("DISCORD_BOT_ID", "DISCORD_PUBLIC_KEY")
"""Parameters without which nothing can start: every deployment has its own."""

SETTINGS: Final = {
    "architecture": Setting("arm64", "processor of the functions and the bridge", ("arm64", "x86_64")),
    "artifact_bucket": Setting(
        "", "name of the bucket; empty: discord-bot-artifacts-ACCOUNT-REGION, free for everybody"
    ),
    "bridge": Setting(
        "true", "run the gateway bridge; without it only slash commands and buttons arrive", ("true", "false")
    ),
    "bridge_image": Setting("", "image of the bridge; empty: built from its Dockerfile"),
    "sandbox_image": Setting("", "image of the sandbox; empty: built from its Dockerfile"),
    "reserve_concurrency": Setting(
        "true", "reserve concurrency; false where the account's limit is still too low for it", ("true", "false")
    ),
    "snap_start": Setting("false", "start Python functions from snapshots", ("true", "false")),
    "customer_managed_key": Setting("false", "encrypt with a key of your own", ("true", "false")),
    "alarm_email": Setting("", "who is told of alarms; empty: nobody, they show on the dashboard"),
    "spend_alarm": Setting("10", "dollars spent on models within a day from which on the alarm sounds"),
}
"""What whoever deploys may choose."""
