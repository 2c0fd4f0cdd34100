from benchmarks.stage import Stage
from benchmarks.harness import Measured
def measure(stage: Stage) -> list[Measured]: return []
