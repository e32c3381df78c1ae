# Functions and their sources. Layers are in packages.tf, the sandbox is in sandbox.tf.

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

  depends_on = [terraform_data.ready]
}
