# The system as system.json declares it. Names, figures, variables of environments and statements of policies
# come from there; what is written here is only how they become resources.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = var.account == null ? null : [var.account]

  # AWS_ENDPOINT_URL points everything at an emulator: it has neither the account's metadata nor a bucket per host name.
  s3_use_path_style           = var.emulated
  skip_credentials_validation = var.emulated
  skip_metadata_api_check     = var.emulated
  skip_region_validation      = var.emulated
  max_retries                 = var.emulated ? 3 : null
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}
data "aws_availability_zones" "here" {
  state = "available"
}
