"""Amazon SageMaker's Runtime, over the ticket model's own artifact."""
