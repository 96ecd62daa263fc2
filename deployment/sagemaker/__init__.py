"""Amazon SageMaker: an inference image, the model's archive, and endpoints on this machine or hosted."""
