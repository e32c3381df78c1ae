# The bucket of the threads' files: encrypted, versioned, TLS only, nothing public; objects expire.

locals {
  tls_only = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "s3:*"
      Resource  = [for path in ["", "/*"] : "arn:${local.aws}:s3:::${local.bucket}${path}"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_s3_bucket" "artifacts" {
  bucket        = local.bucket
  force_destroy = !var.keep_data
}

resource "aws_s3_bucket_versioning" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    bucket_key_enabled = local.encrypted

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.encrypted ? "aws:kms" : "AES256"
      kms_master_key_id = local.key
    }
  }
}

resource "aws_s3_bucket_public_access_block" "artifacts" {
  bucket                  = aws_s3_bucket.artifacts.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = local.system.buckets.artifacts.expiry_days
    }

    noncurrent_version_expiration {
      noncurrent_days = local.system.buckets.artifacts.expiry_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = local.figures.incomplete_upload_days
    }
  }

  # Rules for old versions are accepted once there are versions.
  depends_on = [aws_s3_bucket_versioning.artifacts]
}

resource "aws_s3_bucket_policy" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  policy = local.tls_only

  # S3 refuses to change the policy while it changes what is public.
  depends_on = [aws_s3_bucket_public_access_block.artifacts]
}
