from . import bands as bands
from . import chain_words as chain_words
from . import degradations as degradations
from . import eval_words as eval_words
from . import models as models
from . import plot as plot
from . import scores as scores
from . import show as show
