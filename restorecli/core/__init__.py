"""The shared package: device, tensor operations, networks, losses and weights."""
