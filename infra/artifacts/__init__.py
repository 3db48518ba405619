"""The parts of a release: function zip and layers, pruned, compiled, reproducible, within limits."""
