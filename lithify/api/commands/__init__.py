"""The verbs of the command line, one file per verb or tight group; each imports only click until it runs."""
