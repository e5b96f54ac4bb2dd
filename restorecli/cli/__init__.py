"""The command line: one file for each command.

A command parses options, makes one call into `api`, and shows the result. `app` lists the commands;
`boundary` is the one place where errors become messages and exit codes; `render` is the only module that
prints. What a command does beside that stands in `work`, whose files import the other rooms at their top and
are imported when a command first uses them, so that `--help` stays instant.
"""
