"""The command line: one file for each command.

A command parses options (`options` holds those that several share), makes one call into `api`, and shows
the result. `app` lists the commands; `boundary` is the one place where errors become messages and exit
codes, and Ctrl-C its code; `render` is the only module that prints: text and tables for people, one JSON
object for programs. `progress` shows how far a job is, `completion` answers Tab, `plain_help` keeps
Python's types out of help. What a command does beside that stands in `support`, whose files import the other
rooms at their top and are imported when a command first uses them, so that `--help` stays instant.
"""
