# The door for Discord's HTTP interactions: an API that calls one function, throttled and logged.

locals {
  routes = { for key, function in local.system.functions : key => function.path if function.path != "" }
}

resource "aws_cloudwatch_log_group" "api" {
  name              = local.figures.api.log_group
  retention_in_days = local.system.log_retention
  kms_key_id        = local.key
}

resource "aws_apigatewayv2_api" "edge" {
  name          = local.figures.api.name
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_stage" "edge" {
  api_id      = aws_apigatewayv2_api.edge.id
  name        = local.figures.api.stage
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format          = jsonencode({ for pair in local.figures.api.access_log : pair[0] => pair[1] })
  }

  default_route_settings {
    throttling_rate_limit  = local.figures.api.rate
    throttling_burst_limit = local.figures.api.burst
  }
}

resource "aws_apigatewayv2_integration" "function" {
  for_each = local.routes

  api_id                 = aws_apigatewayv2_api.edge.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = module.function[each.key].live_arn
  payload_format_version = local.figures.api.payload_format
}

resource "aws_apigatewayv2_route" "function" {
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.edge.id
  route_key          = "POST ${each.value}"
  target             = "integrations/${aws_apigatewayv2_integration.function[each.key].id}"
  authorization_type = "NONE" # Discord signs its requests, and the function verifies the signature
}

resource "aws_lambda_permission" "api" {
  for_each = local.routes

  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = module.function[each.key].name
  qualifier     = local.system.alias
  source_arn    = "${aws_apigatewayv2_api.edge.execution_arn}/*/POST${each.value}"
}
