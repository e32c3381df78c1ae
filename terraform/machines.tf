# The state machines; their definitions call functions by name, and are given ARNs here.

module "machine" {
  source   = "./modules/machine"
  for_each = local.system.machines

  declared = each.value
  alias    = local.system.alias
  definition = templatefile("${path.module}/../statemachines/${each.key}.asl.json", {
    for function in each.value.functions :
    function => "${local.function_arns["function/${function}"]}:${local.system.alias}"
  })
  role          = module.role["machine/${each.key}"].arn
  log_level     = local.figures.machine_log_level
  log_retention = local.system.log_retention
  key           = local.key

  # A machine that is there before what it calls would fail the executions that somebody starts meanwhile.
  depends_on = [module.function, aws_cloudformation_stack.sandbox]
}
