"""What a release consists of: function zip and layers, pruned, compiled, reproducible, within limits."""
