# Terraform deploys the same template as `make deploy`, as a CloudFormation stack: artifacts are uploaded under their
# content's hash, every parameter is a variable, every output an output. README.md shows a whole configuration.

locals {
  stack_name = coalesce(var.stack_name, "omnibus-${var.stage}")
  packaged   = file("${var.package}/sam.json")

  # The files of functions and layers, as named in the template, and their upload locations.
  artifacts = toset(["./arrow.zip", "./deployment.zip", "./ml.zip"])
  keys      = { for path in local.artifacts : path => "${filesha256("${var.package}/${path}")}.zip" }
  places    = { for path, key in local.keys : path => jsonencode("s3://${var.artifact_bucket}/${key}") }

  # Identifies package and parameters: if either changes, functions get new versions, and the alias `live` moves to them.
  unnamed = jsondecode(local.packaged).Parameters.Release.Default
  told    = [local.unnamed, local.parameters, local.secrets]
  release = coalesce(var.release, substr(nonsensitive(sha256(jsonencode(local.told))), 0, 10))

  # The release is also the version of the REST API: SAM redeploys the API when its text changes, not its parameters.
  template = replace(
    replace(
      replace(
        replace(local.packaged, jsonencode("./arrow.zip"), local.places["./arrow.zip"]),
        jsonencode("./deployment.zip"), local.places["./deployment.zip"],
      ),
      jsonencode("./ml.zip"), local.places["./ml.zip"],
    ),
    jsonencode(local.unnamed), jsonencode(local.release),
  )
}

resource "aws_s3_object" "artifact" {
  for_each = local.keys

  bucket      = var.artifact_bucket
  key         = each.value
  source      = "${var.package}/${each.key}"
  source_hash = filesha256("${var.package}/${each.key}")

  # A failed change is rolled back to the earlier artifacts, which are deleted only after the change.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "template" {
  bucket  = var.artifact_bucket
  key     = "${sha256(local.template)}.json"
  content = local.template

  lifecycle {
    create_before_destroy = true
  }
}

data "aws_s3_bucket" "artifacts" {
  bucket = var.artifact_bucket
}

# Terraform cannot change CloudFormation's own timeout and failure action without replacing the stack. They keep their
# defaults: CloudFormation rolls back by itself.
resource "aws_cloudformation_stack" "omnibus" {
  name         = local.stack_name
  template_url = "https://${data.aws_s3_bucket.artifacts.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags

  parameters = merge(
    { Release = local.release },
    local.given,
    { for name, value in local.secrets : name => value if nonsensitive(value != "") },
  )

  timeouts {
    create = "${var.timeout_in_minutes}m"
    update = "${var.timeout_in_minutes}m"
    delete = "${var.timeout_in_minutes}m"
  }

  lifecycle {
    precondition {
      condition     = length(local.refused) == 0
      error_message = join("\n", local.refused)
    }
  }

  depends_on = [aws_s3_object.artifact]
}
