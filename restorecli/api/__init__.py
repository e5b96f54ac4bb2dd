"""The Python interface, and the one implementation of every verb: options in, result out.

For each verb a frozen dataclass holds its options and `run_VERB` does the job; the public function of the
verb's name takes the same options as arguments, and the command line parses into them and shows the result.
An option is added to the dataclass and to the command of `restorecli.cli`, and nowhere else.

Every function imports what it needs when it is called, so that `import restorecli` stays instant.
"""

from restorecli.api.degradation import DegradeOptions, degrade, run_degrade
from restorecli.api.diagnosis import diagnose
from restorecli.api.evaluation import EvalOptions, evaluate, run_evaluate
from restorecli.api.networks import create_model, load
from restorecli.api.pictures import degrade_image, restore_image, score
from restorecli.api.restoration import RestoreOptions, check_restore_tiles, plan_restore, restore, run_restore
from restorecli.api.training import TrainOptions, check_train, run_train, train

__all__ = [
    "DegradeOptions",
    "EvalOptions",
    "RestoreOptions",
    "TrainOptions",
    "check_restore_tiles",
    "check_train",
    "create_model",
    "degrade",
    "degrade_image",
    "diagnose",
    "evaluate",
    "load",
    "plan_restore",
    "restore",
    "restore_image",
    "run_degrade",
    "run_evaluate",
    "run_restore",
    "run_train",
    "score",
    "train",
]
