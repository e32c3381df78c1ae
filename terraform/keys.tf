# A key of your own, when that is wished: whoever in this account may use a service may use it through that service.

resource "aws_kms_key" "data" {
  count = local.encrypted ? 1 : 0

  description         = "encrypts what ${local.system.prefix} keeps"
  enable_key_rotation = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TheAccountAdministersIt"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.aws}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
    ]
  })
}

resource "aws_kms_alias" "data" {
  count = local.encrypted ? 1 : 0

  name          = "alias/${local.system.prefix}"
  target_key_id = aws_kms_key.data[0].key_id
}
