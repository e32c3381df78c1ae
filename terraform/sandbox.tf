# The function that runs the model's commands: a container image, and an environment of its own per thread.
# The provider of this version cannot say that a function isolates tenants; CloudFormation can.

locals {
  isolated = one([for key, function in local.system.functions : merge(function, { key = key }) if function.tenant_isolated])
  isolated_properties = {
    FunctionName  = local.isolated.name
    Description   = local.isolated.purpose
    PackageType   = "Image"
    Code          = { ImageUri = local.image_uris["sandbox"] }
    Role          = module.role["function/${local.isolated.key}"].arn
    Architectures = [local.architecture]
    MemorySize    = local.isolated.memory
    Timeout       = local.isolated.timeout
    TenancyConfig = { TenantIsolationMode = "PER_TENANT" }
    LoggingConfig = { LogFormat = "JSON", LogGroup = aws_cloudwatch_log_group.sandbox.name }
    TracingConfig = { Mode = "PassThrough" }
  }
  # A version is published anew when what it is a version of has another name.
  isolated_version = "Version${substr(sha256(jsonencode(local.isolated_properties)), 0, 12)}"
}

resource "aws_cloudwatch_log_group" "sandbox" {
  name              = local.isolated.log_group
  retention_in_days = local.system.log_retention
  kms_key_id        = local.key
}

resource "aws_cloudformation_stack" "sandbox" {
  name = local.isolated.name

  template_body = jsonencode({
    Description = "The sandbox, which Terraform's provider cannot describe."
    Resources = {
      Function = { Type = "AWS::Lambda::Function", Properties = local.isolated_properties }
      (local.isolated_version) = {
        Type       = "AWS::Lambda::Version"
        Properties = { FunctionName = { Ref = "Function" } }
      }
      Alias = {
        Type = "AWS::Lambda::Alias"
        Properties = {
          Name            = local.system.alias
          FunctionName    = { Ref = "Function" }
          FunctionVersion = { "Fn::GetAtt" = [local.isolated_version, "Version"] }
        }
      }
    }
  })

  depends_on = [terraform_data.image]
}
