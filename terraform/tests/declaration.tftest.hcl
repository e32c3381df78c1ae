# Without an account: the provider is mocked. What is checked is that the declaration arrives where it belongs.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
    }
  }
  mock_data "aws_region" {
    defaults = {
      name = "eu-west-1"
    }
  }
  mock_data "aws_partition" {
    defaults = {
      partition = "aws"
    }
  }
  mock_data "aws_ecr_authorization_token" {
    defaults = {
      password = "nobody signs in"
    }
  }
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    }
  }
  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/made"
    }
  }
  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:eu-west-1:123456789012:made"
      url = "https://sqs.eu-west-1.amazonaws.com/123456789012/made"
    }
  }
  mock_resource "aws_lambda_function" {
    defaults = {
      arn     = "arn:aws:lambda:eu-west-1:123456789012:function:made"
      version = "1"
    }
  }
  mock_resource "aws_lambda_alias" {
    defaults = {
      arn = "arn:aws:lambda:eu-west-1:123456789012:function:made:live"
    }
  }
  mock_resource "aws_lambda_layer_version" {
    defaults = {
      arn = "arn:aws:lambda:eu-west-1:123456789012:layer:made:1"
    }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:eu-west-1:123456789012:log-group:made"
    }
  }
  mock_resource "aws_sfn_state_machine" {
    defaults = {
      arn                       = "arn:aws:states:eu-west-1:123456789012:stateMachine:made"
      state_machine_version_arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:made:1"
    }
  }
  mock_resource "aws_sns_topic" {
    defaults = {
      arn = "arn:aws:sns:eu-west-1:123456789012:made"
    }
  }
  mock_resource "aws_s3_bucket" {
    defaults = {
      arn = "arn:aws:s3:::made"
      id  = "made"
    }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = {
      arn = "arn:aws:events:eu-west-1:123456789012:rule/made"
    }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      api_endpoint  = "https://made.execute-api.eu-west-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:made"
    }
  }
  mock_resource "aws_kms_key" {
    defaults = {
      arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = {
      arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/made"
    }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = {
      arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/made:1"
    }
  }
}

variables {
  settings_file      = "tests/settings.json"
  packages           = "tests/.packages"
  discord_bot_id     = "900"
  discord_public_key = "00"
  sandbox_image      = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sandbox:1"
  bridge_image       = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/bridge@sha256:00"
}

run "packages" {
  module {
    source = "./tests/packages"
  }

  variables {
    folder = "tests/.packages"
  }
}

run "tables_are_made_without_any_setting" {
  command = plan

  plan_options {
    target = [
      aws_dynamodb_table.discord_sessions,
      aws_dynamodb_table.discord_executions,
      aws_dynamodb_table.discord_messages,
    ]
  }

  variables {
    settings_file      = "tests/none.json"
    packages           = "tests/none"
    discord_bot_id     = null
    discord_public_key = null
  }

  assert {
    condition     = aws_dynamodb_table.discord_messages.name == "discord-messages"
    error_message = "The table has the name that queries for the audit trail use."
  }
  assert {
    condition     = aws_dynamodb_table.discord_executions.deletion_protection_enabled
    error_message = "Data is kept unless somebody says otherwise."
  }
}

run "queues_are_made_without_any_setting" {
  command = plan

  plan_options {
    target = [aws_sqs_queue.agentic_events, aws_sqs_queue.discord_messages]
  }

  variables {
    settings_file      = "tests/none.json"
    packages           = "tests/none"
    discord_bot_id     = null
    discord_public_key = null
  }

  assert {
    condition     = aws_sqs_queue.discord_messages.fifo_queue && !aws_sqs_queue.agentic_events.fifo_queue
    error_message = "Messages keep their order, events need none."
  }
}

run "everything_is_made_as_it_is_declared" {
  command = apply

  assert {
    condition     = toset(keys(module.function)) == toset([for key, function in local.system.functions : key if function.package != "sandbox"])
    error_message = "Every function that is a zip file is made."
  }
  assert {
    condition     = toset(keys(output.state_machines)) == toset(keys(local.system.machines))
    error_message = "Every machine is made."
  }
  assert {
    condition     = local.environments.turn.SANDBOX_FUNCTION == "discord-agent-sandbox:live"
    error_message = "Functions are called through their alias."
  }
  assert {
    condition     = local.environments.interactions.DISCORD_PUBLIC_KEY == "00"
    error_message = "A variable that is given wins over the settings file."
  }
  assert {
    condition     = local.environments.fail.LOG_LEVEL == "DEBUG"
    error_message = "The settings file wins over the declaration."
  }
  assert {
    condition     = local.environments.intake.STALENESS_MINUTES == local.system.parameters.STALENESS_MINUTES
    error_message = "What nobody chose is as it is declared."
  }
  assert {
    condition     = local.arns["image/gateway_bridge"] == "arn:aws:ecr:eu-west-1:123456789012:repository/bridge"
    error_message = "The bridge may fetch the image that was given, and no other."
  }
  assert {
    condition     = length(aws_ecr_repository.image) == 0
    error_message = "Images that are given are not built."
  }
  assert {
    condition     = jsondecode(aws_cloudformation_stack.sandbox.template_body).Resources.Function.Properties.TenancyConfig.TenantIsolationMode == "PER_TENANT"
    error_message = "Threads do not share a sandbox."
  }
}

run "without_the_bridge_nothing_of_it_is_made" {
  command = plan

  variables {
    bridge = "false"
  }

  assert {
    condition     = length(aws_vpc.bridge) + length(aws_ecs_service.bridge) == 0
    error_message = "There is a network or a service."
  }
  assert {
    condition     = !contains(keys(module.role), "service/gateway_bridge")
    error_message = "There is a role that nothing takes."
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.alarm), "bridge-down")
    error_message = "What is not there is watched."
  }
}

run "with_a_key_data_is_encrypted_with_it" {
  command = apply

  variables {
    customer_managed_key = "true"
  }

  assert {
    condition     = aws_dynamodb_table.discord_sessions.server_side_encryption[0].kms_key_arn == aws_kms_key.data[0].arn
    error_message = "The tables are not."
  }
  assert {
    condition     = aws_sqs_queue.agentic_events.kms_master_key_id == aws_kms_key.data[0].arn
    error_message = "The queues are not."
  }
}

run "settings_without_which_nothing_can_start_are_named" {
  command = plan

  variables {
    discord_bot_id = ""
  }

  expect_failures = [terraform_data.ready]
}

run "settings_that_nothing_reads_are_named" {
  command = plan

  variables {
    settings_file = "tests/misspelt.json"
  }

  expect_failures = [terraform_data.ready]
}

run "packages_that_were_not_built_are_named" {
  command = plan

  variables {
    packages = "tests/none"
  }

  expect_failures = [terraform_data.ready]
}

run "a_choice_that_there_is_not_is_refused" {
  command = plan

  variables {
    architecture = "mips"
  }

  expect_failures = [var.architecture]
}

run "a_wrong_account_number_is_refused" {
  command = plan

  variables {
    account = "my-account"
  }

  expect_failures = [var.account]
}
