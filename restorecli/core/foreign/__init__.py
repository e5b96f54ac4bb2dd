"""Other people's weights.

A checkpoint is read with torch's safe loader (`core.weights.read_foreign`), recognized by the names and
shapes of its tensors (`layouts`), and its tensors get our names (`kair`, `esrgan`, `ports`, `modern`,
`sca_unet`). What is not known here goes to spandrel where that is installed (`spandrel_files`). A new layout
is one line in `layouts.LAYOUTS`, its marks in `core.tensor_names`, and a function that translates it.
"""

from restorecli.core.foreign.layouts import Recognized, recognize, translate

__all__ = ["Recognized", "recognize", "translate"]
