# What ends executions that could not end themselves: a rule on their status, which calls a function.

locals {
  rule     = local.figures.status_rule
  rule_arn = "arn:${local.aws}:events:${local.region}:${local.account}:rule/${local.rule.name}"
  told     = one([for key, function in local.system.functions : key if function.on_execution_status])
}

resource "aws_cloudwatch_event_rule" "status" {
  name        = local.rule.name
  description = "executions that ended without saying so"

  event_pattern = jsonencode({
    source      = ["aws.states"]
    detail-type = ["Step Functions Execution Status Change"]
    detail = {
      status          = local.rule.statuses
      stateMachineArn = values(local.machine_arns)
    }
  })
}

resource "aws_cloudwatch_event_target" "status" {
  rule      = aws_cloudwatch_event_rule.status.name
  target_id = local.told
  arn       = module.function[local.told].live_arn

  retry_policy {
    maximum_retry_attempts       = local.rule.attempts
    maximum_event_age_in_seconds = local.rule.maximum_age
  }

  dead_letter_config {
    arn = local.made_queues[local.rule.dead_letters].arn
  }
}

resource "aws_lambda_permission" "status" {
  statement_id  = "status"
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  function_name = module.function[local.told].name
  qualifier     = local.system.alias
  source_arn    = aws_cloudwatch_event_rule.status.arn
}
