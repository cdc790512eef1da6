"""Inspector's own API: botocore's model in, HTTP out."""
