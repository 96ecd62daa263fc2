# What the configuration plans, without Google: terraform init -backend=false && terraform test

mock_provider "google" {}

variables {
  project_id = "my-project-1"
  region     = "europe-west1"
  repository = "ml-project"
  image      = "europe-west1-docker.pkg.dev/my-project-1/ml-project/ml-project:0123456789ab-01234567"
}

run "by_default_nobody_may_call_and_nothing_idles" {
  command = plan

  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.invoker) == 0
    error_message = "Somebody may call the service although nobody was named."
  }

  assert {
    condition     = google_cloud_run_v2_service.predict.template[0].scaling[0].min_instance_count == 0
    error_message = "Instances are paid for although nobody asked for them."
  }

  assert {
    condition     = google_cloud_run_v2_service.predict.template[0].containers[0].startup_probe[0].http_get[0].path == "/ready"
    error_message = "Requests would reach an instance that has no model yet."
  }
}

run "the_service_runs_the_image_as_its_own_account" {
  command = apply

  assert {
    condition     = google_cloud_run_v2_service.predict.template[0].containers[0].image == var.image
    error_message = "The service runs another image."
  }

  assert {
    condition     = google_cloud_run_v2_service.predict.template[0].service_account == google_service_account.service.email
    error_message = "The service runs as another account than the one without roles."
  }
}

run "public_binds_everybody_beside_the_named_ones" {
  command = plan

  variables {
    public   = true
    invokers = ["user:jane@example.com"]
  }

  assert {
    condition = (
      toset([for binding in google_cloud_run_v2_service_iam_member.invoker : "${binding.member} ${binding.role}"]) ==
      toset(["allUsers roles/run.invoker", "user:jane@example.com roles/run.invoker"])
    )
    error_message = "Not exactly everybody and Jane may call the service, and no more than call it."
  }
}

run "variables_and_the_key_reach_the_service" {
  command = plan

  variables {
    environment    = { ML_PROJECT_SERVING__MAX_BATCH_ROWS = "100" }
    api_key_secret = "prediction-key" # checkov:skip=CKV_SECRET_6:the name of a secret, not its content
  }

  assert {
    condition = toset([
      for variable in google_cloud_run_v2_service.predict.template[0].containers[0].env :
      "${variable.name}=${try(variable.value_source[0].secret_key_ref[0].secret, variable.value)}"
      ]) == toset([
      "GOOGLE_CLOUD_PROJECT=my-project-1", "ML_PROJECT_SERVING__LOG_STYLE=google",
      "ML_PROJECT_SERVING__MAX_BATCH_ROWS=100", "ML_PROJECT_SERVING__API_KEY=prediction-key",
    ])
    error_message = "A variable, or the key from the secret, does not reach the service."
  }
}

run "impossible_values_are_refused" {
  command = plan

  variables {
    project_id      = "My Project"
    region          = "Europe"
    repository      = "a_b"
    image           = "ml-project"
    service_name    = "a_service_with_a_name_that_is_too_long"
    memory          = "512"
    cpu             = 3
    concurrency     = 0
    min_instances   = -1
    timeout_seconds = 0
    keep_images     = 0
    ingress         = "EVERYBODY"
    invokers        = ["jane@example.com"]
    environment     = { PORT = "80" }
  }

  expect_failures = [
    var.project_id, var.region, var.repository, var.image, var.service_name, var.memory, var.cpu, var.concurrency,
    var.min_instances, var.timeout_seconds, var.keep_images, var.ingress, var.invokers,
    var.environment,
  ]
}

run "fewer_instances_than_stay_up_are_refused" {
  command = plan

  variables {
    min_instances = 3
    max_instances = 2
  }

  expect_failures = [var.max_instances]
}
