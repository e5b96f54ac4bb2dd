"""What commands read, make and show beside `api`: each file is imported when a command first uses it.

So the commands outside this folder stay light, help is instant, and the files in here import at their top.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # the names: __init__.pyi
