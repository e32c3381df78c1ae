"""What outlives every function: tables, queues, the bucket and secrets; a part of the declaration."""

from typing import Final

from discord_agent.declaration import PREFIX, Bucket, Index, Queue, Table

TABLES: Final = {
    "sessions": Table("discord_sessions", "thread_id", "record"),
    "executions": Table(
        "discord_executions",
        "execution_id",
        indexes=(Index("thread_id-index", "thread_id", "created_at"),),
    ),
    "messages": Table("discord-messages", "pk", "sk"),
}

QUEUES: Final = {
    "messages": Queue("discord_messages.fifo", fifo=True, visibility=180, dead_letters="messages-dead"),
    "messages-dead": Queue("discord_messages_dead.fifo", fifo=True, visibility=360),
    "wakeups": Queue("discord_wakeups", visibility=360, dead_letters="wakeups-dead"),
    "wakeups-dead": Queue("discord_wakeups_dead", visibility=360),
    "events": Queue("agentic_events", dead_letters="events-dead"),
    "events-dead": Queue("agentic_events_dead"),
    "failures-dead": Queue("discord_failures_dead"),
}

BUCKETS: Final = {"artifacts": Bucket("discord-bot-artifacts")}

SECRETS: Final = {
    "discord-token": f"/{PREFIX}/discord-token",
    "model-key": f"/{PREFIX}/model-key",
    "git-credentials": f"/{PREFIX}/git-credentials",
    "tool-secrets": f"/{PREFIX}/tool-secrets",
}
