"""The demos: each workload doing its main job on real input against the running local cloud."""
