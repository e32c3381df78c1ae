# Alarms, the topic they are told to, and the dashboard.

locals {
  alarms = {
    for key, alarm in local.system.alarms : key => alarm
    if alarm.only_with == "" || try(local.chosen[alarm.only_with], "") == "true"
  }
  widgets = [
    for widget in local.system.dashboard : widget.body
    if widget.only_with == "" || try(local.chosen[widget.only_with], "") == "true"
  ]
}

resource "aws_sns_topic" "alarms" {
  name              = local.figures.alarm_topic
  kms_master_key_id = local.key
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count = local.chosen.alarm_email != "" ? 1 : 0

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = local.chosen.alarm_email
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each = local.alarms

  alarm_name          = each.value.name
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  period              = each.value.period
  evaluation_periods  = each.value.periods
  threshold           = try(each.value.threshold.value, tonumber(local.chosen[trimprefix(each.value.threshold.ref, "setting/")]))
  treat_missing_data  = each.value.missing
  dimensions          = { for name, value in each.value.dimensions : name => try(value.value, local.names[value.ref]) }
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.figures.dashboard
  dashboard_body = replace(replace(replace(
    jsonencode({ widgets = local.widgets }),
    "@partition@", local.aws), "@region@", local.region), "@account@", local.account
  )
}
