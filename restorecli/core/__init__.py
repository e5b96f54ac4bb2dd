"""The shared package: devices, operations on tensors, networks, losses and weights; no image files.

`models` holds one file for each network (`models.catalog` lists them; layers that several share are in
`models.blocks`), `losses` one for each family. `restorer` turns a network into a restorer: a batch in, a
restored batch out, padded, checked and in the precision asked for. `zoo` finds the weights that a name stands
for, `weights` reads and writes them with their card, `foreign*` translates the files of other projects,
`onnx` exports. `device` picks CUDA, MPS or the CPU.
"""
