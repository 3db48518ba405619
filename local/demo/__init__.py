"""The demos: each workload does its main job on real input in the running local cloud."""
