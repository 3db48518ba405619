"""The schema's history, one numbered file a step; a file that was applied anywhere is never edited."""
