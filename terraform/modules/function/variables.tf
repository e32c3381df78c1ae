variable "declared" {
  description = "the function as it is declared; memory in MB, timeout in seconds"
  type = object({
    name      = string
    purpose   = string
    memory    = number
    timeout   = number
    layers    = list(string)
    reserved  = optional(number)
    log_group = string
    sources   = list(object({ queue = string, batch_size = number, maximum_concurrency = number }))
  })
}

variable "alias" {
  description = "the name through which it is called"
  type        = string
}

variable "runtime" {
  description = "what runs it"
  type        = string
}

variable "handler" {
  description = "where its package is entered"
  type        = string
}

variable "architecture" {
  description = "arm64 or x86_64"
  type        = string
}

variable "package" {
  description = "the path of its zip file"
  type        = string
}

variable "layers" {
  description = "the ARNs of the layers' versions, by the layers' names"
  type        = map(string)
}

variable "role" {
  description = "the ARN of its role"
  type        = string
}

variable "environment" {
  description = "its variables"
  type        = map(string)
}

variable "queues" {
  description = "the ARNs of the queues it consumes, by key"
  type        = map(string)
}

variable "dead_letters" {
  description = "the ARN of the queue for asynchronous events that no attempt could handle"
  type        = string
  default     = null
}

variable "reserve_concurrency" {
  description = "keep and bound the concurrency it declares"
  type        = bool
}

variable "snap_start" {
  description = "start it from a snapshot"
  type        = bool
}

variable "log_retention" {
  description = "days"
  type        = number
}

variable "key" {
  description = "the ARN of the key that encrypts its logs and variables; null: AWS's own"
  type        = string
  default     = null
}
