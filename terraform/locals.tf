locals {
  system  = jsondecode(file("${path.module}/system.json"))
  figures = local.system.figures

  account = data.aws_caller_identity.here.account_id
  region  = data.aws_region.here.name
  aws     = data.aws_partition.here.partition

  # Variables win over the settings file, which wins over the declaration.
  settings_file = startswith(var.settings_file, "/") ? var.settings_file : "${path.module}/${var.settings_file}"
  written       = fileexists(local.settings_file) ? jsondecode(file(local.settings_file)) : {}
  chosen = merge(
    { for key, setting in local.system.settings : key => setting.default },
    { for key, value in local.system.parameters : lower(key) => value },
    { for key, value in local.written : key => tostring(value) },
    { for key, value in local.given : key => value if value != null },
  )
  missing = [for key in local.system.required : lower(key) if local.chosen[lower(key)] == ""]
  unknown = setsubtract(keys(local.written), keys(local.given))

  architecture   = local.chosen.architecture
  encrypted      = local.chosen.customer_managed_key == "true"
  key            = one(aws_kms_key.data[*].arn)
  with_bridge    = local.chosen.bridge == "true"
  packages       = "${startswith(var.packages, "/") ? "" : "${path.module}/"}${var.packages}/${local.architecture}"
  bucket         = local.chosen.artifact_bucket != "" ? local.chosen.artifact_bucket : "${local.system.buckets.artifacts.name}-${local.account}-${local.region}"
  concurrency    = local.chosen.reserve_concurrency == "true"
  from_snapshots = local.chosen.snap_start == "true"
}

locals {
  table_arns   = { for key, table in local.system.tables : "table/${key}" => "arn:${local.aws}:dynamodb:${local.region}:${local.account}:table/${table.name}" }
  queue_arns   = { for key, queue in local.system.queues : "queue/${key}" => "arn:${local.aws}:sqs:${local.region}:${local.account}:${queue.name}" }
  secret_arns  = { for key, name in local.system.secrets : "secret/${key}" => "arn:${local.aws}:ssm:${local.region}:${local.account}:parameter/${trimprefix(name, "/")}" }
  role_arns    = { for key, role in local.system.roles : key => "arn:${local.aws}:iam::${local.account}:role/${role.name}" if startswith(key, "role/") }
  machine_arns = { for key, machine in local.system.machines : "machine/${key}" => "arn:${local.aws}:states:${local.region}:${local.account}:stateMachine:${machine.name}" }
  function_arns = {
    for key, function in local.system.functions :
    "function/${key}" => "arn:${local.aws}:lambda:${local.region}:${local.account}:function:${function.name}"
  }

  # What a reference means in a statement of a policy.
  arns = merge(
    local.table_arns, local.queue_arns, local.secret_arns, local.role_arns, local.machine_arns, local.function_arns,
    { for key, name in local.images : "image/${key}" => local.image_repositories[key] },
    {
      "bucket/artifacts" = "arn:${local.aws}:s3:::${local.bucket}"
      "anything"         = "*"
    },
  )
  log_groups = "arn:${local.aws}:logs:${local.region}:${local.account}:log-group:"

  # What a reference means in a metric's dimension.
  names = merge(
    { for key, queue in local.system.queues : "queue/${key}" => queue.name },
    { for key, function in local.system.functions : "function/${key}" => function.name },
  )

  # What a reference means in a variable of an environment.
  meanings = merge(
    { for key, table in local.system.tables : "table/${key}" => table.name },
    { for key, queue in local.system.queues : "queue/${key}" => local.made_queues[key].url },
    { for key, name in local.system.secrets : "secret/${key}" => name },
    { for key, function in local.system.functions : "function/${key}" => "${function.name}:${local.system.alias}" },
    { for key, arn in local.machine_arns : key => "${arn}:${local.system.alias}" },
    { for key, value in local.system.parameters : "parameter/${key}" => local.chosen[lower(key)] },
    local.role_arns,
    { "bucket/artifacts" = local.bucket },
  )
  environments = {
    for owner, declared in merge(local.system.functions, local.system.services) : owner => {
      for name, value in declared.environment : name => try(value.value, local.meanings[value.ref])
      if try(value.value, local.meanings[value.ref]) != ""
    }
  }
}
