# What the configuration plans, without Google: terraform init -backend=false && terraform test

mock_provider "google" {}

variables {
  project_id = "my-project-1"
}

run "by_default_nobody_may_call_and_nothing_is_public" {
  command = plan

  assert {
    condition     = length(google_cloud_run_service_iam_member.invoker) == 0
    error_message = "Somebody may call the function although nobody was named."
  }

  assert {
    condition = (
      google_storage_bucket.source.public_access_prevention == "enforced" &&
      google_storage_bucket.source.uniform_bucket_level_access
    )
    error_message = "The bucket with the source could be opened to the public."
  }

  assert {
    condition     = google_cloudfunctions2_function.predict.service_config[0].environment_variables["CORS_ALLOWED_ORIGINS"] == ""
    error_message = "Web pages may call the function although none was named."
  }

  assert {
    condition     = google_cloudfunctions2_function.predict.service_config[0].min_instance_count == 0
    error_message = "Instances are paid for although nobody asked for them."
  }
}

run "the_source_is_named_by_its_hash" {
  command = plan

  assert {
    condition     = can(regex("^function-[0-9a-f]{64}\\.zip$", google_storage_bucket_object.source.name))
    error_message = "The object is called ${google_storage_bucket_object.source.name}, so another zip would not be deployed."
  }
}

run "the_function_runs_as_its_own_account" {
  command = apply

  assert {
    condition = (
      google_cloudfunctions2_function.predict.service_config[0].service_account_email ==
      google_service_account.function.email
    )
    error_message = "The function runs as another account than the one without roles."
  }

  assert {
    condition = (
      google_cloudfunctions2_function.predict.build_config[0].runtime == "python312" &&
      google_cloudfunctions2_function.predict.build_config[0].entry_point == "predict"
    )
    error_message = "Runtime or entry point is not what the zip was made for."
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
      toset([for binding in google_cloud_run_service_iam_member.invoker : binding.member]) ==
      toset(["allUsers", "user:jane@example.com"])
    )
    error_message = "Not exactly everybody and Jane may call the function."
  }

  assert {
    condition     = alltrue([for binding in google_cloud_run_service_iam_member.invoker : binding.role == "roles/run.invoker"])
    error_message = "Callers get more than the right to call."
  }
}

run "threads_follow_the_concurrency_and_variables_can_be_added" {
  command = plan

  variables {
    concurrency = 7
    environment = { ML_PROJECT_SERVING__MAX_BATCH_ROWS = "100" }
  }

  assert {
    condition     = google_cloudfunctions2_function.predict.service_config[0].environment_variables["THREADS"] == "7"
    error_message = "Requests of one instance would wait for a thread."
  }

  assert {
    condition     = google_cloudfunctions2_function.predict.service_config[0].environment_variables["ML_PROJECT_SERVING__MAX_BATCH_ROWS"] == "100"
    error_message = "A variable that was given does not reach the function."
  }
}

run "the_key_comes_from_secret_manager" {
  command = plan

  variables {
    api_key_secret = "prediction-key" # checkov:skip=CKV_SECRET_6:the name of a secret, not its content
  }

  assert {
    condition = [
      for variable in google_cloudfunctions2_function.predict.service_config[0].secret_environment_variables :
      "${variable.key} from ${variable.secret}"
    ] == ["ML_PROJECT_SERVING__API_KEY from prediction-key"]
    error_message = "The function does not get its key from the secret."
  }
}

run "the_apis_can_be_left_to_others" {
  command = plan

  variables {
    enable_apis = false
  }

  assert {
    condition     = length(google_project_service.api) == 0
    error_message = "Interfaces are switched on although this was not wanted."
  }
}

run "impossible_values_are_refused" {
  command = plan

  variables {
    project_id      = "My Project"
    region          = "Europe"
    function_name   = "a_function_with_a_name_that_is_too_long"
    memory          = "512"
    cpu             = 3
    min_instances   = -1
    timeout_seconds = 0
    ingress         = "EVERYBODY"
    invokers        = ["jane@example.com"]
    cors_origins    = ["https://app.example.com/page"]
    environment     = { ML_PROJECT_SERVING__API_KEY = "not-here" }
  }

  expect_failures = [
    var.project_id, var.region, var.function_name, var.memory, var.cpu, var.min_instances, var.timeout_seconds,
    var.ingress, var.invokers, var.cors_origins, var.environment,
  ]
}

run "values_that_contradict_each_other_are_refused" {
  command = plan

  variables {
    cpu           = 0.58
    concurrency   = 2
    min_instances = 3
    max_instances = 2
  }

  expect_failures = [var.concurrency, var.max_instances]
}

run "a_missing_zip_is_refused" {
  command = plan

  variables {
    zip_path = "nowhere.zip"
  }

  expect_failures = [google_storage_bucket_object.source]
}
