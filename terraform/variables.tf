# What can be chosen about the system is declared in choices.tf.json, which is generated.
# Here is what concerns Terraform alone.

variable "region" {
  description = "where everything is made; null: what AWS_REGION or the profile says"
  type        = string
  default     = null
}

variable "account" {
  description = "the only account that this may be applied to; null: whichever the credentials belong to"
  type        = string
  default     = null

  validation {
    condition     = var.account == null || can(regex("^[0-9]{12}$", var.account))
    error_message = "account is the number of an AWS account: 12 digits."
  }
}

variable "settings_file" {
  description = "the choices of whoever deploys, as `discord-agent init` writes them; variables that are given win"
  type        = string
  default     = "../settings.json"
}

variable "packages" {
  description = "where `discord-agent package` puts what functions are made of"
  type        = string
  default     = "../.build"
}

variable "keep_data" {
  description = "refuse to delete tables, and the bucket while there is something in it"
  type        = bool
  default     = true
}

variable "emulated" {
  description = "AWS_ENDPOINT_URL points to an emulator"
  type        = bool
  default     = false
}
