# The queues, encrypted and reached by TLS only; each with its dead letters beside it.

locals {
  queues = local.system.queues
  redrive = {
    for key, queue in local.queues : key => queue.dead_letters == null ? null : jsonencode({
      deadLetterTargetArn = local.queue_arns["queue/${queue.dead_letters}"]
      maxReceiveCount     = queue.max_receives
    })
  }
  queue_policies = {
    for key, queue in local.queues : key => jsonencode({
      Version = "2012-10-17"
      Statement = concat(
        [{
          Effect    = "Deny"
          Principal = { AWS = "*" }
          Action    = "sqs:*"
          Resource  = local.queue_arns["queue/${key}"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        }],
        [for source in(key == local.figures.status_rule.dead_letters ? [local.rule_arn] : []) : {
          Effect    = "Allow"
          Principal = { Service = "events.amazonaws.com" }
          Action    = "sqs:SendMessage"
          Resource  = local.queue_arns["queue/${key}"]
          Condition = { ArnEquals = { "aws:SourceArn" = source } }
        }],
      )
    })
  }
  made_queues = {
    "messages"      = aws_sqs_queue.discord_messages
    "messages-dead" = aws_sqs_queue.discord_messages_dead
    "wakeups"       = aws_sqs_queue.discord_wakeups
    "wakeups-dead"  = aws_sqs_queue.discord_wakeups_dead
    "events"        = aws_sqs_queue.agentic_events
    "events-dead"   = aws_sqs_queue.agentic_events_dead
    "failures-dead" = aws_sqs_queue.discord_failures_dead
  }
}

resource "aws_sqs_queue" "agentic_events" {
  name                       = local.queues["events"].name
  fifo_queue                 = local.queues["events"].fifo
  visibility_timeout_seconds = local.queues["events"].visibility
  message_retention_seconds  = local.queues["events"].retention
  redrive_policy             = local.redrive["events"]
  policy                     = local.queue_policies["events"]
  sqs_managed_sse_enabled    = local.encrypted ? null : true
  kms_master_key_id          = local.key

  depends_on = [aws_sqs_queue.agentic_events_dead]
}

resource "aws_sqs_queue" "agentic_events_dead" {
  name                       = local.queues["events-dead"].name
  fifo_queue                 = local.queues["events-dead"].fifo
  visibility_timeout_seconds = local.queues["events-dead"].visibility
  message_retention_seconds  = local.queues["events-dead"].retention
  redrive_policy             = local.redrive["events-dead"]
  policy                     = local.queue_policies["events-dead"]
  sqs_managed_sse_enabled    = local.encrypted ? null : true
  kms_master_key_id          = local.key

}

resource "aws_sqs_queue" "discord_messages" {
  name                       = local.queues["messages"].name
  fifo_queue                 = local.queues["messages"].fifo
  visibility_timeout_seconds = local.queues["messages"].visibility
  message_retention_seconds  = local.queues["messages"].retention
  redrive_policy             = local.redrive["messages"]
  policy                     = local.queue_policies["messages"]
  sqs_managed_sse_enabled    = local.encrypted ? null : true
  kms_master_key_id          = local.key

  depends_on = [aws_sqs_queue.discord_messages_dead]
}

resource "aws_sqs_queue" "discord_messages_dead" {
  name                       = local.queues["messages-dead"].name
  fifo_queue                 = local.queues["messages-dead"].fifo
  visibility_timeout_seconds = local.queues["messages-dead"].visibility
  message_retention_seconds  = local.queues["messages-dead"].retention
  redrive_policy             = local.redrive["messages-dead"]
  policy                     = local.queue_policies["messages-dead"]
  sqs_managed_sse_enabled    = local.encrypted ? null : true
  kms_master_key_id          = local.key

}

resource "aws_sqs_queue" "discord_wakeups" {
  name                       = local.queues["wakeups"].name
  fifo_queue                 = local.queues["wakeups"].fifo
  visibility_timeout_seconds = local.queues["wakeups"].visibility
  message_retention_seconds  = local.queues["wakeups"].retention
  redrive_policy             = local.redrive["wakeups"]
  policy                     = local.queue_policies["wakeups"]
  sqs_managed_sse_enabled    = local.encrypted ? null : true
  kms_master_key_id          = local.key

  depends_on = [aws_sqs_queue.discord_wakeups_dead]
}

resource "aws_sqs_queue" "discord_wakeups_dead" {
  name                       = local.queues["wakeups-dead"].name
  fifo_queue                 = local.queues["wakeups-dead"].fifo
  visibility_timeout_seconds = local.queues["wakeups-dead"].visibility
  message_retention_seconds  = local.queues["wakeups-dead"].retention
  redrive_policy             = local.redrive["wakeups-dead"]
  policy                     = local.queue_policies["wakeups-dead"]
  sqs_managed_sse_enabled    = local.encrypted ? null : true
  kms_master_key_id          = local.key

}

resource "aws_sqs_queue" "discord_failures_dead" {
  name                       = local.queues["failures-dead"].name
  fifo_queue                 = local.queues["failures-dead"].fifo
  visibility_timeout_seconds = local.queues["failures-dead"].visibility
  message_retention_seconds  = local.queues["failures-dead"].retention
  redrive_policy             = local.redrive["failures-dead"]
  policy                     = local.queue_policies["failures-dead"]
  sqs_managed_sse_enabled    = local.encrypted ? null : true
  kms_master_key_id          = local.key

}

