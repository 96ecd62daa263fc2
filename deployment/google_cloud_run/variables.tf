# setup.auto.tfvars.json, which the set-up writes, holds project_id, region, repository and image.

variable "project_id" {
  description = "Id of the Google Cloud project, not its name or number; `gcloud projects list` shows it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "The project id '${var.project_id}' cannot be one: 6 to 30 lower-case letters, digits and hyphens, beginning with a letter. `gcloud projects list` shows yours."
  }
}

variable "region" {
  description = "Region of the service and of the repository with its images."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "The region '${var.region}' cannot be one; it looks like europe-west1. `gcloud run regions list` shows all."
  }
}

variable "repository" {
  description = "Repository of Artifact Registry for the images."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.repository))
    error_message = "The repository '${var.repository}' needs lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "image" {
  description = "Image to run, with its tag. Naming an older one rolls back."
  type        = string

  validation {
    condition     = can(regex("^[^:@]+/[^:@]+(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "The image '${var.image}' needs a registry and a tag, as the set-up writes it: bash executables/cloud_setup.sh google_cloud_run --project-id PROJECT."
  }
}

variable "service_name" {
  description = "Name of the service. The service account is named after it, NAME-service, of at most 30 characters."
  type        = string
  default     = "ml-project"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.service_name))
    error_message = "The service name '${var.service_name}' needs 2 to 22 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "memory" {
  description = "Memory of an instance, with its unit."
  type        = string
  default     = "512Mi"

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi)$", var.memory))
    error_message = "The memory '${var.memory}' needs a unit: 512Mi or 1Gi, for instance."
  }
}

variable "cpu" {
  description = "Processors of an instance: 1, 2, 4, 6 or 8. More than 1 helps little, because one process answers."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 4, 6, 8], var.cpu)
    error_message = "cpu is ${var.cpu}; possible are 1, 2, 4, 6 and 8."
  }
}

variable "concurrency" {
  description = "Requests that one instance gets at the same time; further ones start another instance."
  type        = number
  default     = 80

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000 && floor(var.concurrency) == var.concurrency
    error_message = "concurrency is ${var.concurrency}; it must be a whole number from 1 to 1000."
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
  description = "Most instances; this limits what a flood of requests can cost."
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
  description = "Seconds after which a request is given up."
  type        = number
  default     = 60

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 3600
    error_message = "timeout_seconds is ${var.timeout_seconds}; it must be from 1 to 3600."
  }
}

variable "ingress" {
  description = "From where the service can be reached: INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."
  type        = string
  default     = "INGRESS_TRAFFIC_ALL"

  validation {
    condition     = contains(["INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"], var.ingress)
    error_message = "ingress is '${var.ingress}'; possible are INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY and INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."
  }
}

variable "public" {
  description = "Whether everybody may call the service without credentials of Google's. The service's own key (api_key_secret) is asked for all the same."
  type        = bool
  default     = false
}

variable "invokers" {
  description = "Who may call the service with credentials of Google's, for instance user:jane@example.com or serviceAccount:app@project.iam.gserviceaccount.com."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.invokers : can(regex("^(user|group|serviceAccount|domain):[^:]+$|^principal(Set)?://.+$", member))])
    error_message = "Each invoker is written with its kind, as in user:jane@example.com, group:..., serviceAccount:... or domain:...; found: ${join(", ", var.invokers)}. For everybody set public = true."
  }
}

variable "api_key_secret" {
  description = "Name of a secret in Secret Manager with the key that requests must carry; null asks for none. The service's account must be allowed to read it."
  type        = string
  default     = null
}

variable "environment" {
  description = "Further environment variables, for instance ML_PROJECT_SERVING__MAX_BATCH_ROWS. No secrets: everybody who may look at the service sees them."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.environment), ["ML_PROJECT_SERVING__API_KEY", "PORT"])) == 0
    error_message = "PORT is set by Cloud Run, and the key does not belong into environment, where it can be read; put it into Secret Manager and name it as api_key_secret."
  }
}

variable "keep_images" {
  description = "Images that are kept in the repository to roll back to; older ones are deleted by Google."
  type        = number
  default     = 10

  validation {
    condition     = var.keep_images >= 1 && floor(var.keep_images) == var.keep_images
    error_message = "keep_images is ${var.keep_images}; it must be a whole number, 1 or more."
  }
}

variable "enable_apis" {
  description = "Whether to switch on the interfaces of Google that the service needs. They stay on after `terraform destroy`, because others may use them."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Labels of everything that can have them, for instance to find the costs."
  type        = map(string)
  default     = { application = "ml-project" }
}
