output "interactions_url" {
  description = "what Discord is told as the interactions endpoint"
  value       = "${aws_apigatewayv2_api.edge.api_endpoint}${local.routes["interactions"]}"
}

output "agentic_events_queue_url" {
  description = "where everything that happens to runs is told"
  value       = aws_sqs_queue.agentic_events.url
}

output "discord_messages_queue_url" {
  description = "where what happens in Discord comes in"
  value       = aws_sqs_queue.discord_messages.url
}

output "artifact_bucket" {
  description = "where the threads' files are"
  value       = aws_s3_bucket.artifacts.bucket
}

output "tables" {
  description = "the tables' names, by what they hold"
  value       = { for key, table in local.tables : key => table.name }
}

output "state_machines" {
  description = "the ARNs through which executions are started, by flow"
  value       = { for key, machine in module.machine : key => machine.live_arn }
}

output "functions" {
  description = "the functions' names, by step"
  value       = { for key, function in local.system.functions : key => function.name }
}

output "alarm_topic" {
  description = "subscribe to it to be told of alarms"
  value       = aws_sns_topic.alarms.arn
}

output "dashboard_url" {
  description = "the system at a glance"
  value       = "https://${local.region}.console.aws.amazon.com/cloudwatch/home?region=${local.region}#dashboards/dashboard/${local.figures.dashboard}"
}
