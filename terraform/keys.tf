# A key of your own, when that is wished: whoever in this account may use a service may use it through that service.

resource "aws_kms_key" "data" {
  count = local.encrypted ? 1 : 0

  description         = "encrypts what ${local.system.prefix} keeps"
  enable_key_rotation = true

  policy = replace(replace(replace(
    jsonencode(local.system.key_policy),
    "@partition@", local.aws), "@region@", local.region), "@account@", local.account
  )
}

resource "aws_kms_alias" "data" {
  count = local.encrypted ? 1 : 0

  name          = "alias/${local.system.prefix}"
  target_key_id = aws_kms_key.data[0].key_id
}
