# An address of the function on the web.

resource "aws_lambda_function_url" "live" {
  # checkov:skip=CKV_AWS_258:AWS_IAM is the default; NONE is chosen by whoever wants a public service
  count = var.url_auth == "OFF" ? 0 : 1

  function_name      = aws_lambda_function.predict.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = var.url_auth

  dynamic "cors" {
    for_each = length(var.cors_origins) > 0 ? [var.cors_origins] : []

    content {
      allow_origins  = cors.value
      allow_methods  = ["GET", "POST"]
      allow_headers  = ["content-type", "x-api-key", "authorization", "x-request-id"]
      expose_headers = ["x-request-id", "x-model-version"]
      max_age        = 3600
    }
  }
}

resource "aws_lambda_permission" "public_url" {
  # checkov:skip=CKV_AWS_301:this is what url_auth = "NONE" means
  # checkov:skip=CKV_AWS_364:as above
  count = var.url_auth == "NONE" ? 1 : 0

  statement_id           = "PublicUrl"
  action                 = "lambda:InvokeFunctionUrl"
  principal              = "*"
  function_url_auth_type = "NONE"
  function_name          = aws_lambda_function.predict.function_name
  qualifier              = aws_lambda_alias.live.name
}
