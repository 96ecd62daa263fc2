locals {
  apis = ["artifactregistry", "iam", "run"]

  # So that a line of the log is joined with its request's trace.
  environment = merge(
    {
      GOOGLE_CLOUD_PROJECT          = var.project_id
      ML_PROJECT_SERVING__LOG_STYLE = "google"
    },
    var.environment,
  )
}

resource "google_project_service" "api" {
  for_each = var.enable_apis ? toset(local.apis) : toset([])

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

# Made before the service, because its image has to be pushed in between; see the documentation.
resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:Google encrypts the images; a key of one's own has to be paid for, kept and turned.
  repository_id = var.repository
  location      = var.region
  format        = "DOCKER"
  description   = "Images of ml_project's prediction service"

  # What was deployed under a tag is under it for ever.
  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "delete-old-images"
    action = "DELETE"

    condition {
      older_than = "${30 * 24 * 3600}s"
    }
  }

  cleanup_policies {
    id     = "keep-the-latest"
    action = "KEEP"

    most_recent_versions {
      keep_count = var.keep_images
    }
  }

  depends_on = [google_project_service.api]
}

# Without roles: the service calls nothing of Google's. The default account could change the whole project.
resource "google_service_account" "service" {
  account_id   = "${var.service_name}-service"
  display_name = "Service ${var.service_name}"
  description  = "Runs the prediction service; has no roles."

  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_service" "predict" {
  name        = var.service_name
  location    = var.region
  description = "Predictions of ml_project's model"
  ingress     = var.ingress

  # Terraform may delete what it made; everything in it can be made again.
  deletion_protection = false

  template {
    service_account                  = google_service_account.service.email
    max_instance_request_concurrency = var.concurrency
    timeout                          = "${var.timeout_seconds}s"

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    containers {
      image = var.image

      # Cloud Run tells the container this number as PORT.
      ports {
        container_port = 8080
      }

      resources {
        limits = { cpu = tostring(var.cpu), memory = var.memory }
        # Processors only while requests are answered, and more of them during a cold start.
        cpu_idle          = true
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 60

        http_get {
          path = "/ready"
        }
      }

      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3

        http_get {
          path = "/health"
        }
      }

      dynamic "env" {
        for_each = local.environment

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.api_key_secret == null ? [] : [var.api_key_secret]

        content {
          name = "ML_PROJECT_SERVING__API_KEY"

          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = setunion(var.invokers, var.public ? ["allUsers"] : [])

  location = google_cloud_run_v2_service.predict.location
  name     = google_cloud_run_v2_service.predict.name
  role     = "roles/run.invoker"
  member   = each.key
}
