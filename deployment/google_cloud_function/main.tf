locals {
  zip_path = coalesce(var.zip_path, "${path.module}/../../output/function_deployment/function_deployment.zip")
  zip_hash = fileexists(local.zip_path) ? filesha256(local.zip_path) : "missing"

  # functions-framework starts THREADS threads per instance; fewer than concurrency would let requests wait in one
  # instance for which Google would start another.
  environment = merge(
    {
      GOOGLE_CLOUD_PROJECT = var.project_id
      THREADS              = tostring(var.concurrency)
      CORS_ALLOWED_ORIGINS = join(",", sort(var.cors_origins))
    },
    var.environment,
  )

  apis = ["artifactregistry", "cloudbuild", "cloudfunctions", "iam", "run", "storage"]
}

resource "google_project_service" "api" {
  for_each = var.enable_apis ? toset(local.apis) : toset([])

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:Only Google's build reads these files; a log of accesses would need a second bucket.
  name     = "${var.project_id}-${var.function_name}-source"
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  # Nothing lies in it but files that the setup makes again.
  force_destroy = true

  # Terraform deletes the object of the release before; so it can still be fetched for a rollback.
  versioning {
    enabled = true
  }

  # Versions are kept already.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 90
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_object" "source" {
  # The hash in the name is what makes Terraform deploy another zip, and nothing where the zip is the same.
  name   = "function-${local.zip_hash}.zip"
  bucket = google_storage_bucket.source.name
  source = local.zip_path

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = fileexists(local.zip_path)
      error_message = "There is no file ${local.zip_path}. Make it with: bash executables/cloud_setup.sh google_cloud_function"
    }

    precondition {
      condition     = endswith(local.zip_path, ".zip")
      error_message = "zip_path is ${local.zip_path}; it must name a .zip made by: bash executables/cloud_setup.sh google_cloud_function"
    }
  }
}

# Without roles: the function calls nothing of Google's. The default account could change the whole project.
resource "google_service_account" "function" {
  account_id   = "${var.function_name}-run"
  display_name = "Function ${var.function_name}"
  description  = "Runs the function; has no roles."

  depends_on = [google_project_service.api]
}

resource "google_cloudfunctions2_function" "predict" {
  #checkov:skip=CKV_GCP_124:Callers are outside of the project's network; who may call is decided by the binding below. See ingress.
  name        = var.function_name
  location    = var.region
  description = "Predictions of ml_project's model, source ${substr(local.zip_hash, 0, 12)}"

  build_config {
    runtime     = "python312"
    entry_point = "predict"
    service_account = (
      var.build_service_account == null ? null :
      "projects/${var.project_id}/serviceAccounts/${var.build_service_account}"
    )

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    available_memory                 = var.memory
    available_cpu                    = tostring(var.cpu)
    max_instance_request_concurrency = var.concurrency
    min_instance_count               = var.min_instances
    max_instance_count               = var.max_instances
    timeout_seconds                  = var.timeout_seconds
    ingress_settings                 = var.ingress
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.function.email
    environment_variables            = local.environment

    dynamic "secret_environment_variables" {
      for_each = var.api_key_secret == null ? [] : [var.api_key_secret]

      content {
        key        = "ML_PROJECT_SERVING__API_KEY"
        project_id = var.project_id
        secret     = secret_environment_variables.value
        version    = "latest"
      }
    }
  }

  depends_on = [google_project_service.api]
}

# A function of the second generation is a service of Cloud Run with the same name, which decides who may call it.
resource "google_cloud_run_service_iam_member" "invoker" {
  for_each = setunion(var.invokers, var.public ? ["allUsers"] : [])

  location = google_cloudfunctions2_function.predict.location
  service  = google_cloudfunctions2_function.predict.name
  role     = "roles/run.invoker"
  member   = each.key
}
