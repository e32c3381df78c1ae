# Where layers lie before Lambda takes them: larger than 50 MB it takes none from a request. The CDK's bootstrap has such
# a bucket too. What functions are made of is small enough to be sent.

locals {
  layer_files = { for name in local.system.layers : name => "${local.packages}/layers/${name}.zip" }
}

resource "aws_s3_bucket" "packages" {
  bucket        = "${local.system.prefix}-packages-${local.account}-${local.region}"
  force_destroy = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "packages" {
  bucket = aws_s3_bucket.packages.id

  rule {
    bucket_key_enabled = local.encrypted

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.encrypted ? "aws:kms" : "AES256"
      kms_master_key_id = local.key
    }
  }
}

resource "aws_s3_bucket_public_access_block" "packages" {
  bucket                  = aws_s3_bucket.packages.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "packages" {
  bucket = aws_s3_bucket.packages.id
  policy = replace(local.tls_only, local.bucket, aws_s3_bucket.packages.id)

  depends_on = [aws_s3_bucket_public_access_block.packages]
}

resource "aws_s3_object" "layer" {
  for_each = local.layer_files

  bucket = aws_s3_bucket.packages.id
  # Named after what is in it, and so never replaced under a layer that is made of it.
  key    = "layers/${each.key}-${try(filesha256(each.value), "missing")}.zip"
  source = each.value

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [terraform_data.ready, aws_s3_bucket_server_side_encryption_configuration.packages, aws_s3_bucket_policy.packages]
}

resource "aws_lambda_layer_version" "layer" {
  for_each = local.layer_files

  layer_name               = "${local.system.prefix}-${each.key}"
  compatible_runtimes      = [local.figures.runtime]
  compatible_architectures = [local.architecture]
  s3_bucket                = aws_s3_object.layer[each.key].bucket
  s3_key                   = aws_s3_object.layer[each.key].key
  source_code_hash         = try(filebase64sha256(each.value), null)

  lifecycle {
    create_before_destroy = true
  }
}
