terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = var.declared.log_group
  retention_in_days = var.log_retention
  kms_key_id        = var.key
}

resource "aws_sfn_state_machine" "this" {
  name       = var.declared.name
  type       = "STANDARD"
  role_arn   = var.role
  definition = var.definition
  publish    = true

  # Data of executions is what people wrote: it is seen in the console by those who may, and not copied to the logs.
  logging_configuration {
    level                  = var.log_level
    include_execution_data = false
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  tracing_configuration {
    enabled = true
  }
}

resource "aws_sfn_alias" "live" {
  name = var.alias

  routing_configuration {
    state_machine_version_arn = aws_sfn_state_machine.this.state_machine_version_arn
    weight                    = 100
  }
}
