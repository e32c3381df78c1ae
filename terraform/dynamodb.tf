# The tables: on demand, with point-in-time recovery, kept when the rest goes.

locals {
  tables = local.system.tables
  attributes = {
    for key, table in local.tables : key => toset(compact(concat(
      [table.partition_key, table.sort_key],
      flatten([for index in table.indexes : [index.partition_key, index.sort_key]]),
    )))
  }
}

resource "aws_dynamodb_table" "discord_sessions" {
  name                        = local.tables.sessions.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = local.tables.sessions.partition_key
  range_key                   = local.tables.sessions.sort_key
  deletion_protection_enabled = var.keep_data

  dynamic "attribute" {
    for_each = local.attributes.sessions
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = local.tables.sessions.indexes
    content {
      name            = global_secondary_index.value.name
      hash_key        = global_secondary_index.value.partition_key
      range_key       = global_secondary_index.value.sort_key
      projection_type = "ALL"
    }
  }

  ttl {
    enabled        = true
    attribute_name = local.tables.sessions.ttl_attribute
  }

  point_in_time_recovery {
    enabled = true
  }

  dynamic "server_side_encryption" {
    for_each = aws_kms_key.data[*].arn
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}

resource "aws_dynamodb_table" "discord_executions" {
  name                        = local.tables.executions.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = local.tables.executions.partition_key
  range_key                   = local.tables.executions.sort_key
  deletion_protection_enabled = var.keep_data

  dynamic "attribute" {
    for_each = local.attributes.executions
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = local.tables.executions.indexes
    content {
      name            = global_secondary_index.value.name
      hash_key        = global_secondary_index.value.partition_key
      range_key       = global_secondary_index.value.sort_key
      projection_type = "ALL"
    }
  }

  ttl {
    enabled        = true
    attribute_name = local.tables.executions.ttl_attribute
  }

  point_in_time_recovery {
    enabled = true
  }

  dynamic "server_side_encryption" {
    for_each = aws_kms_key.data[*].arn
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}

resource "aws_dynamodb_table" "discord_messages" {
  name                        = local.tables.messages.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = local.tables.messages.partition_key
  range_key                   = local.tables.messages.sort_key
  deletion_protection_enabled = var.keep_data

  dynamic "attribute" {
    for_each = local.attributes.messages
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = local.tables.messages.indexes
    content {
      name            = global_secondary_index.value.name
      hash_key        = global_secondary_index.value.partition_key
      range_key       = global_secondary_index.value.sort_key
      projection_type = "ALL"
    }
  }

  ttl {
    enabled        = true
    attribute_name = local.tables.messages.ttl_attribute
  }

  point_in_time_recovery {
    enabled = true
  }

  dynamic "server_side_encryption" {
    for_each = aws_kms_key.data[*].arn
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}

