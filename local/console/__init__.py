"""The local cloud's console, which CloudFront serves in AWS: from the build and the packaged template."""
