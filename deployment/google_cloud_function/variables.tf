variable "project_id" {
  description = "Id of the Google Cloud project, not its name or number; `gcloud projects list` shows it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "The project id '${var.project_id}' cannot be one: 6 to 30 lower-case letters, digits and hyphens, beginning with a letter. `gcloud projects list` shows yours."
  }
}

variable "region" {
  description = "Region of the function and of the bucket with its source."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "The region '${var.region}' cannot be one; it looks like europe-west1. `gcloud functions regions list` shows all."
  }
}

variable "function_name" {
  description = "Name of the function. The bucket and the service account are named after it."
  type        = string
  default     = "ml-project"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}[a-z0-9]$", var.function_name))
    error_message = "The function name '${var.function_name}' needs 2 to 25 lower-case letters, digits and hyphens, beginning with a letter: bucket and service account are named after it."
  }
}

variable "zip_path" {
  description = "File with the function's source; null takes what `bash executables/cloud_setup.sh google_cloud_function` writes. Naming an older one rolls back."
  type        = string
  default     = null
}

variable "memory" {
  description = "Memory of an instance, with its unit."
  type        = string
  default     = "512Mi"

  validation {
    condition     = can(regex("^[1-9][0-9]*(M|Mi|G|Gi)$", var.memory))
    error_message = "The memory '${var.memory}' needs a unit: 512Mi or 1Gi, for instance."
  }
}

variable "cpu" {
  description = "Processors of an instance. Google wants at least 1 where an instance answers several requests at once, 2 from 4 Gi of memory on, 4 from 8 Gi on."
  type        = number
  default     = 1

  validation {
    condition     = contains([0.17, 0.33, 0.58, 1, 2, 4, 6, 8], var.cpu)
    error_message = "cpu is ${var.cpu}; possible are 0.17, 0.33, 0.58, 1, 2, 4, 6 and 8."
  }
}

variable "concurrency" {
  description = "Requests that one instance answers at the same time; further ones start another instance."
  type        = number
  default     = 20

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000 && floor(var.concurrency) == var.concurrency
    error_message = "concurrency is ${var.concurrency}; it must be a whole number from 1 to 1000."
  }

  validation {
    condition     = var.concurrency == 1 || var.cpu >= 1
    error_message = "concurrency is ${var.concurrency} with cpu ${var.cpu}; several requests at once need cpu 1 or more. Set concurrency to 1, or cpu to 1."
  }
}

variable "min_instances" {
  description = "Instances that stay up without requests, so that nobody waits for a cold start; each of them is paid for all the time."
  type        = number
  default     = 0

  validation {
    condition     = var.min_instances >= 0 && floor(var.min_instances) == var.min_instances
    error_message = "min_instances is ${var.min_instances}; it must be a whole number, 0 or more."
  }
}

variable "max_instances" {
  description = "Most instances; requests beyond what they take are answered with 429. This limits what a flood of requests can cost."
  type        = number
  default     = 10

  validation {
    condition     = var.max_instances >= 1 && floor(var.max_instances) == var.max_instances
    error_message = "max_instances is ${var.max_instances}; it must be a whole number, 1 or more."
  }

  validation {
    condition     = var.max_instances >= var.min_instances
    error_message = "max_instances is ${var.max_instances}, below min_instances ${var.min_instances}."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which a request is given up, with 504."
  type        = number
  default     = 60

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 3600
    error_message = "timeout_seconds is ${var.timeout_seconds}; it must be from 1 to 3600."
  }
}

variable "ingress" {
  description = "From where the function can be reached: ALLOW_ALL, ALLOW_INTERNAL_ONLY or ALLOW_INTERNAL_AND_GCLB."
  type        = string
  default     = "ALLOW_ALL"

  validation {
    condition     = contains(["ALLOW_ALL", "ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"], var.ingress)
    error_message = "ingress is '${var.ingress}'; possible are ALLOW_ALL, ALLOW_INTERNAL_ONLY and ALLOW_INTERNAL_AND_GCLB."
  }
}

variable "public" {
  description = "Whether everybody may call the function without credentials of Google's. The service's own key (api_key_secret) is asked for all the same."
  type        = bool
  default     = false
}

variable "invokers" {
  description = "Who may call the function with credentials of Google's, for instance user:jane@example.com or serviceAccount:app@project.iam.gserviceaccount.com."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.invokers : can(regex("^(user|group|serviceAccount|domain):[^:]+$|^principal(Set)?://.+$", member))])
    error_message = "Each invoker is written with its kind, as in user:jane@example.com, group:..., serviceAccount:... or domain:...; found: ${join(", ", var.invokers)}. For everybody set public = true."
  }
}

variable "cors_origins" {
  description = "Web pages whose scripts may call the function, for instance https://app.example.com; [\"*\"] allows all. Browsers ask without credentials first, so this needs public = true."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.cors_origins : origin == "*" || can(regex("^https?://[^/,\\s]+$", origin))])
    error_message = "An origin is scheme and host without a path, as in https://app.example.com; found: ${join(", ", var.cors_origins)}."
  }
}

variable "api_key_secret" {
  description = "Name of a secret in Secret Manager with the key that requests must carry; null asks for none. The function's account must be allowed to read it."
  type        = string
  default     = null
}

variable "environment" {
  description = "Further environment variables of the function, for instance ML_PROJECT_SERVING__MAX_BATCH_ROWS. No secrets: everybody who may look at the function sees them."
  type        = map(string)
  default     = {}

  validation {
    condition     = !contains(keys(var.environment), "ML_PROJECT_SERVING__API_KEY")
    error_message = "The key does not belong into environment, where it can be read; put it into Secret Manager and name it as api_key_secret."
  }
}

variable "build_service_account" {
  description = "E-mail of the service account that builds the function; null takes the project's default. It needs roles/logging.logWriter, roles/storage.objectViewer and roles/artifactregistry.writer."
  type        = string
  default     = null
}

variable "enable_apis" {
  description = "Whether to switch on the interfaces of Google that the function needs. They stay on after `terraform destroy`, because others may use them."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of everything that can have them, for instance to find the costs."
  type        = map(string)
  default     = { application = "ml-project" }
}
