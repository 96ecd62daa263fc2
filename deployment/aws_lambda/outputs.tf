output "function_name" {
  description = "Name of the function; invoke its alias: aws lambda invoke --function-name NAME:live."
  value       = "${aws_lambda_function.predict.function_name}:${aws_lambda_alias.live.name}"
}

output "version" {
  description = "Version that answers."
  value       = aws_lambda_alias.live.function_version
}

output "url" {
  description = "Address of the function; null where it has none."
  value       = one(aws_lambda_function_url.live[*].function_url)
}

output "log_group" {
  description = "Where its logs are: aws logs tail NAME --follow."
  value       = aws_cloudwatch_log_group.function.name
}

output "role" {
  description = "Role of the function, for further permissions."
  value       = aws_iam_role.function.name
}

output "public_url_command" {
  description = "To be run once when url_auth is NONE: the second permission that public URLs need, which Terraform's provider knows only from 6.29 on."
  value = var.url_auth != "NONE" ? null : join(" ", [
    "aws lambda add-permission --statement-id PublicUrlInvoke --action lambda:InvokeFunction --principal '*'",
    "--invoked-via-function-url --region ${var.region} --function-name ${aws_lambda_function.predict.function_name}",
    "--qualifier ${aws_lambda_alias.live.name}",
  ])
}
