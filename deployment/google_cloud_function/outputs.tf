output "url" {
  description = "Address of the function; POST a record to it, or use it as serving.prediction_service_url."
  value       = google_cloudfunctions2_function.predict.service_config[0].uri
}

output "function" {
  description = "Name of the function, for `gcloud functions describe`."
  value       = google_cloudfunctions2_function.predict.name
}

output "source" {
  description = "Where the source of this release lies."
  value       = "gs://${google_storage_bucket.source.name}/${google_storage_bucket_object.source.name}"
}

output "service_account" {
  description = "Account that the function runs as; to let it read a secret, or a database."
  value       = google_service_account.function.email
}

output "invokers" {
  description = "Who may call the function."
  value       = sort([for binding in google_cloud_run_service_iam_member.invoker : binding.member])
}
