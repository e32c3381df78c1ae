output "arn" {
  description = "the machine's ARN"
  value       = aws_sfn_state_machine.this.arn
}

output "live_arn" {
  description = "the ARN through which executions are started"
  value       = aws_sfn_alias.live.arn
}
