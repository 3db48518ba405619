"""The console of the local cloud: what CloudFront serves in AWS, from the build and the packaged template."""
