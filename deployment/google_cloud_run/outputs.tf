output "url" {
  description = "Address of the service; POST a record to its /predict, or use it as serving.prediction_service_url."
  value       = google_cloud_run_v2_service.predict.uri
}

output "service" {
  description = "Name of the service, for `gcloud run services describe`."
  value       = google_cloud_run_v2_service.predict.name
}

output "image" {
  description = "The image of this release."
  value       = google_cloud_run_v2_service.predict.template[0].containers[0].image
}

output "service_account" {
  description = "Account that the service runs as; to let it read a secret, or a database."
  value       = google_service_account.service.email
}

output "invokers" {
  description = "Who may call the service."
  value       = sort([for binding in google_cloud_run_v2_service_iam_member.invoker : binding.member])
}
