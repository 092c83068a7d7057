#include "ElementwisePlan.h"

int32_t ck_elementwise_most_values(void) { return mostValues; }

void ck_elementwise_run(
    const CKElementwise *c, const void *const *operands, void *const *results, int32_t thread) {
  if (c->vectors == CKVectorsAVX512) elementwise_run_avx512(c, operands, results, thread);
  else elementwise_run_avx2(c, operands, results, thread);
}
