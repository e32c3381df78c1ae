# Every role with the statements that are declared for it, and nothing else: no managed policies.

locals {
  policies = {
    for key, role in local.made_roles : key => [
      for statement in role.statements : {
        Effect = "Allow"
        Action = statement.actions
        Resource = [
          for resource in statement.resources :
          startswith(resource.ref, "log_group/") ? "${local.log_groups}${trimprefix(resource.ref, "log_group/")}${resource.path}" : "${local.arns[resource.ref]}${resource.path}"
        ]
      }
    ]
  }
  made_roles = { for key, role in local.system.roles : key => role if local.with_bridge || !contains(keys(local.bridge_roles), key) }
  bridge_roles = {
    for pair in setproduct(["service", "start"], keys(local.system.services)) : join("/", pair) => true
  }
}

module "role" {
  source   = "./modules/role"
  for_each = { for key, role in local.made_roles : key => role if role.service != "" }

  declared    = each.value
  policy_name = local.figures.policy
  statements  = local.policies[each.key]
  principal   = { Service = each.value.service }
}

# Roles that other roles take: IAM wants to find those that it is told to trust.
module "taken_role" {
  source   = "./modules/role"
  for_each = { for key, role in local.made_roles : key => role if role.service == "" }

  declared    = each.value
  policy_name = local.figures.policy
  statements  = local.policies[each.key]
  principal   = { AWS = [for taker in each.value.assumed_by : module.role[taker].arn] }
}
