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

resource "aws_lambda_function" "this" {
  function_name                  = var.declared.name
  description                    = var.declared.purpose
  role                           = var.role
  runtime                        = var.runtime
  handler                        = var.handler
  architectures                  = [var.architecture]
  memory_size                    = var.declared.memory
  timeout                        = var.declared.timeout
  layers                         = [for layer in var.declared.layers : var.layers[layer]]
  filename                       = var.package
  source_code_hash               = try(filebase64sha256(var.package), null)
  reserved_concurrent_executions = var.reserve_concurrency ? coalesce(var.declared.reserved, -1) : -1
  kms_key_arn                    = var.key
  publish                        = true

  environment {
    variables = var.environment
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []
    content {
      apply_on = snap_start.value
    }
  }

  dynamic "dead_letter_config" {
    for_each = var.dead_letters == null ? [] : [var.dead_letters]
    content {
      target_arn = dead_letter_config.value
    }
  }
}

resource "aws_lambda_alias" "live" {
  name             = var.alias
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = { for source in var.declared.sources : source.queue => source }

  function_name           = aws_lambda_alias.live.arn
  event_source_arn        = var.queues[each.key]
  batch_size              = each.value.batch_size
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = each.value.maximum_concurrency
  }
}
