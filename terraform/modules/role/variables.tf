variable "declared" {
  description = "the role as it is declared"
  type        = object({ name = string, purpose = string })
}

variable "policy_name" {
  description = "the name of its inline policy"
  type        = string
}

variable "statements" {
  description = "what it may do"
  type        = list(object({ Effect = string, Action = list(string), Resource = list(string) }))
}

variable "principal" {
  description = "who may take it: Service or AWS"
  type        = any
}
