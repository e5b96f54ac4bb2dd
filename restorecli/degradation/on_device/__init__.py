"""Degradations of whole batches in torch, on the device that trains: equal in law to those of NumPy.

A degradation's values are drawn on the host as ever, from its sample's own generator. The random numbers of
its pixels come from `core.ops.philox`: a function of the run's seed, the sample's number and the place in the
chain. `names` says without torch what can be done so, `chain` does it; `noise`, `blur` and `jpeg` hold one
class for each degradation.
"""
