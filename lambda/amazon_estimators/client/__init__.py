"""What runs where a user sits: uploading RecordSets, starting training jobs and following them."""
