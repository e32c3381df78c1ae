# Layers, functions and their sources. The sandbox is in sandbox.tf.

resource "aws_lambda_layer_version" "layer" {
  for_each = toset(local.system.layers)

  layer_name               = "${local.system.prefix}-${each.key}"
  compatible_runtimes      = [local.figures.runtime]
  compatible_architectures = [local.architecture]
  filename                 = "${local.packages}/layers/${each.key}.zip"
  source_code_hash         = try(filebase64sha256("${local.packages}/layers/${each.key}.zip"), null)

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = fileexists("${local.packages}/layers/${each.key}.zip")
      error_message = "The layer ${local.packages}/layers/${each.key}.zip is missing: build it with `discord-agent package --architecture ${local.architecture}`."
    }
  }
}

module "function" {
  source   = "./modules/function"
  for_each = { for key, function in local.system.functions : key => function if length(function.layers) > 0 }

  declared            = each.value
  alias               = local.system.alias
  runtime             = local.figures.runtime
  handler             = local.figures.handler
  architecture        = local.architecture
  package             = "${local.packages}/functions/${each.key}.zip"
  layers              = { for name, layer in aws_lambda_layer_version.layer : name => layer.arn }
  role                = module.role["function/${each.key}"].arn
  environment         = local.environments[each.key]
  queues              = { for source in each.value.sources : source.queue => local.made_queues[source.queue].arn }
  dead_letters        = each.value.dead_letters == null ? null : local.made_queues[each.value.dead_letters].arn
  reserve_concurrency = local.concurrency
  snap_start          = local.from_snapshots
  log_retention       = local.system.log_retention
  key                 = local.key
  missing             = local.missing
  unknown             = local.unknown
}
