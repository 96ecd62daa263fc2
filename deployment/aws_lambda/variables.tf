variable "region" {
  description = "Region of everything; an image has to lie in the same one."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Name a region, for instance eu-central-1."
  }
}

variable "function_name" {
  description = "Name of the function, and the beginning of the name of its role."
  type        = string
  default     = "ml-project"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,50}$", var.function_name))
    error_message = "Take up to 50 letters, digits, hyphens and underscores."
  }
}

variable "image_uri" {
  description = "Image in ECR, with its tag, as cloud_setup.sh prints it; null where a zip package is deployed."
  type        = string
  default     = null

  validation {
    condition     = var.image_uri == null || can(regex("^[^/]+/.+(:[A-Za-z0-9_.-]+|@sha256:[0-9a-f]{64})$", var.image_uri))
    error_message = "Name an image with its registry and its tag: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/ml-project-lambda:TAG."
  }
}

variable "package_file" {
  description = "Zip package that cloud_setup.sh wrote; null where an image is deployed. Changing between the two makes a new function."
  type        = string
  default     = null
}

variable "package_bucket" {
  description = "Bucket through which the zip package is uploaded, needed above 50 MB; null uploads it directly."
  type        = string
  default     = null
}

variable "memory_mb" {
  description = "Memory in MB, from 128 to 10240. The share of a CPU grows with it: 1769 MB are one whole CPU."
  type        = number
  default     = 1769

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "Lambda has 128 to 10240 MB."
  }
}

variable "timeout_seconds" {
  description = "Longest time of one invocation, from 1 to 900 seconds."
  type        = number
  default     = 30

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "Lambda has 1 to 900 seconds."
  }
}

variable "reserved_concurrency" {
  description = "Most invocations at the same time, which bounds the costs; -1 sets no bound. An account keeps at least 10 unreserved, so that small accounts can reserve none."
  type        = number
  default     = -1

  validation {
    condition     = var.reserved_concurrency >= -1
    error_message = "Take -1 for no bound, 0 to stop the function, or a number of invocations."
  }
}

variable "provisioned_concurrency" {
  description = "Instances that are kept started and paid for by the hour; 0 keeps none."
  type        = number
  default     = 0

  validation {
    condition     = var.provisioned_concurrency >= 0
    error_message = "Take 0 or a number of instances."
  }
}

variable "log_retention_days" {
  description = "Days after which logs are deleted; one of CloudWatch's choices."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "url_auth" {
  description = "Who may call the function's URL: AWS_IAM (who has the permission, with signed requests), NONE (everybody), or OFF for no URL."
  type        = string
  default     = "AWS_IAM"

  validation {
    condition     = contains(["AWS_IAM", "NONE", "OFF"], var.url_auth)
    error_message = "Take AWS_IAM, NONE or OFF."
  }
}

variable "cors_origins" {
  description = "Web pages whose scripts may call the URL, for instance https://app.example.com; [] for none."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.cors_origins : origin == "*" || can(regex("^https?://[^/]+$", origin))])
    error_message = "An origin has a scheme and a host and no path: https://app.example.com, or * for all."
  }
}

variable "api_key" {
  description = "Key that requests have to bring along (X-API-Key), at least 16 characters; null for none. It is stored in Terraform's state."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.api_key == null || length(coalesce(var.api_key, "-")) >= 16
    error_message = "Take at least 16 characters."
  }
}

variable "queue_arn" {
  description = "SQS queue whose messages are answered; null for none. Give it a dead-letter queue."
  type        = string
  default     = null

  validation {
    condition     = var.queue_arn == null || can(regex("^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:.+$", var.queue_arn))
    error_message = "Name a queue by its ARN: arn:aws:sqs:eu-central-1:123456789012:records."
  }
}

variable "refused_messages" {
  description = "What happens to a message that can never be answered: retry (until the queue moves it to its dead-letter queue) or drop (it is logged as an error)."
  type        = string
  default     = "retry"

  validation {
    condition     = contains(["retry", "drop"], var.refused_messages)
    error_message = "Take retry or drop."
  }
}

variable "environment" {
  description = "Further settings of the service, for instance { ML_PROJECT_SERVING__MAX_BATCH_ROWS = \"1000\" }."
  type        = map(string)
  default     = {}
}
