"""S3: reads, uploads, URIs, sessions."""
