import ApusIR
import ApusTensor

/// Averages gradients over as many runs as there are micro-steps, in states of the scope.
///
/// One graph does all micro-steps: each adds its share to the sums, and counts; the optimiser's
/// results are taken over only where the count is full. Two graphs, one that adds and one that
/// updates, would save the update's pass over memory in between, but be two programs that must
/// agree, with the caller keeping count. So the count lies with the sums, and is saved with them.
///
/// - Returns: the averages, which are complete in the last micro-step, and whether this is that one.
func accumulate(
  _ gradients: [Tensor], names: [String], over microSteps: Int, in memory: Memory
) throws -> (gradients: [Tensor], isLast: Tensor) {
  let scope = memory.scope
  let count = scope.state("micro_step", [], .zeros, dtype: .int32)
  let isLast = try count.compared(.equal, count.filled(with: Double(microSteps - 1)))
  scope.update("micro_step", try select(isLast, count.filled(with: 0), count + 1))
  let sums = try zip(names, gradients).map { name, gradient in
    let state = "accumulated.\(name)"
    let sum = try scope.state(state, gradient.shape, .zeros) + gradient / Double(microSteps)
    let condition = try isLast.broadcast(to: sum.shape)
    scope.update(state, try select(condition, sum.filled(with: 0), sum))
    return sum
  }
  return (sums, isLast)
}
