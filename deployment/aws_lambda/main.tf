# The function, its versions, its role and its log. What calls it stands in url.tf and queue.tf.

locals {
  is_image = var.image_uri != null

  settings = {
    # An event has at most 6 MB, and a body in base64 is a third longer than it is.
    ML_PROJECT_SERVING__MAX_BODY_BYTES = "4500000"
    SQS_REFUSED_MESSAGES               = var.refused_messages
    ORT_DISABLE_TELEMETRY              = "1"
  }
  key = var.api_key == null ? {} : { ML_PROJECT_SERVING__API_KEY = var.api_key }
}

resource "aws_cloudwatch_log_group" "function" {
  # checkov:skip=CKV_AWS_158:CloudWatch encrypts logs with a key of its own; they hold no records of requests
  # checkov:skip=CKV_AWS_338:how long logs are kept is the owner's decision, and costs; see log_retention_days
  name              = "/aws/lambda/${var.function_name}"
  retention_in_days = var.log_retention_days
}

resource "aws_s3_object" "package" {
  # checkov:skip=CKV_AWS_186:the bucket's own encryption applies
  count = var.package_file != null && var.package_bucket != null ? 1 : 0

  bucket = var.package_bucket
  # Named by its content, so that an earlier version can be deployed again.
  key         = "${var.function_name}/${filesha256(var.package_file)}.zip"
  source      = var.package_file
  source_hash = filesha256(var.package_file)
}

resource "aws_lambda_function" "predict" {
  # checkov:skip=CKV_AWS_117:the function calls nothing, so it needs no network of the account
  # checkov:skip=CKV_AWS_116:callers get errors themselves, and a queue has a dead-letter queue of its own
  # checkov:skip=CKV_AWS_115:reserving is impossible in small accounts; see reserved_concurrency
  # checkov:skip=CKV_AWS_173:Lambda encrypts the environment with a key of its own; a key of the account's is an own cost
  # checkov:skip=CKV_AWS_272:images cannot be signed for Lambda; the tag of an image and the hash of a package are immutable
  function_name = var.function_name
  description   = "Predictions of ml_project"
  role          = aws_iam_role.function.arn
  architectures = ["x86_64"]
  publish       = true

  package_type     = local.is_image ? "Image" : "Zip"
  image_uri        = var.image_uri
  runtime          = local.is_image ? null : "python3.12"
  handler          = local.is_image ? null : "app.handler"
  filename         = local.is_image || var.package_bucket != null ? null : var.package_file
  s3_bucket        = local.is_image || var.package_bucket == null ? null : var.package_bucket
  s3_key           = one(aws_s3_object.package[*].key)
  source_code_hash = local.is_image ? null : try(filebase64sha256(var.package_file), null)

  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = merge(local.settings, local.key, var.environment)
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  lifecycle {
    precondition {
      condition     = (var.image_uri == null) != (var.package_file == null)
      error_message = "Set either image_uri or package_file, as bash executables/cloud_setup.sh aws_lambda prints it."
    }
  }

  # Lambda looks at the role when the function is made.
  depends_on = [aws_iam_role_policy.function]
}

# Callers name the alias; so versions are exchanged, and taken back, in one moment.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that answers"
  function_name    = aws_lambda_function.predict.function_name
  function_version = aws_lambda_function.predict.version
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = var.provisioned_concurrency > 0 ? 1 : 0

  function_name                     = aws_lambda_function.predict.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}
