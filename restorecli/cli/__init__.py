"""The command line: one file for each command.

A command parses options, makes one call into `api`, and shows the result. `app` lists the commands;
`boundary` is the one place where errors become messages and exit codes; `render` is the only module that
prints. Modules here import torch and the other rooms inside functions, so that `--help` stays instant.
"""
