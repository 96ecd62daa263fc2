# Messages of a queue, where there is one.

resource "aws_lambda_event_source_mapping" "queue" {
  count = var.queue_arn == null ? 0 : 1

  event_source_arn = var.queue_arn
  function_name    = aws_lambda_alias.live.arn
  batch_size       = 10
  # The answer names the messages that shall be delivered again; without this all of them would be.
  function_response_types = ["ReportBatchItemFailures"]

  depends_on = [aws_iam_role_policy.function]
}
