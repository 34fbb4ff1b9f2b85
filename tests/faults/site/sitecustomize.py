"""Loaded by Python itself in the fleet's processes: steps their clock and plants a bug, as the environment says."""

import os

if "FAULT_CLOCK" in os.environ:
    from tests.faults.clock import follow

    follow(os.environ["FAULT_CLOCK"])
if "PLANTED" in os.environ:
    from tests.faults.planted import plant

    plant(os.environ["PLANTED"])
