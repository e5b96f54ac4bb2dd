"""The Python interface, and the one implementation of every verb: options in, result out.

For each verb a frozen dataclass holds its options and `run_VERB` does the job; the public function of the
verb's name takes the same options as arguments, and the command line parses into them and shows the result.
An option is added to the dataclass and to the command of `restorecli.cli`, and nowhere else.

Every name is imported when it is first used, so that `import restorecli` and `--help` stay instant.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # the names: __init__.pyi
