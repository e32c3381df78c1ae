variable "declared" {
  description = "the machine as it is declared"
  type        = object({ name = string, log_group = string })
}

variable "alias" {
  description = "the name through which executions are started"
  type        = string
}

variable "definition" {
  description = "its states, with the ARNs of the functions they call"
  type        = string
}

variable "role" {
  description = "the ARN of its role"
  type        = string
}

variable "log_level" {
  description = "ALL, ERROR, FATAL or OFF"
  type        = string
}

variable "log_retention" {
  description = "days"
  type        = number
}

variable "key" {
  description = "the ARN of the key that encrypts its logs; null: AWS's own"
  type        = string
  default     = null
}
