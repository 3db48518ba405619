"""In-memory stand-ins, one module for each workload; each passes the contract suite of the adapter it stands for."""
