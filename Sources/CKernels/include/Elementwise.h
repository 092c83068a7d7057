#pragma once
#include "Vectors.h"

/// What the elements of a tensor are in memory; in between they are `float`s.
typedef enum CK_CLOSED CK_SWIFT(ElementType) CKElementType : int32_t {
  CKElementTypeFloat32,
  CKElementTypeFloat16,
  CKElementTypeBFloat16 CK_SWIFT(bfloat16),
  /// One byte, 0 or 1.
  CKElementTypeBool,
} CKElementType;

/// A function of one, two or three numbers.
typedef enum CK_CLOSED CK_SWIFT(ElementFunction) CKElementFunction : int32_t {
  CKElementFunctionAdd,
  CKElementFunctionSubtract,
  CKElementFunctionMultiply,
  CKElementFunctionDivide,
  CKElementFunctionMaximum,
  CKElementFunctionMinimum,
  CKElementFunctionNegate,
  CKElementFunctionMagnitude CK_SWIFT(magnitude),
  CKElementFunctionSquareRoot CK_SWIFT(squareRoot),
  CKElementFunctionInverseSquareRoot CK_SWIFT(inverseSquareRoot),
  /// The right number where the left one is above 0, else 0: the gradient of ReLU from its output.
  CKElementFunctionRectify CK_SWIFT(rectify),
  /// 1 where the relation of the left number to the right one holds, else 0.
  CKElementFunctionEqual,
  CKElementFunctionNotEqual CK_SWIFT(notEqual),
  CKElementFunctionLess,
  CKElementFunctionLessOrEqual CK_SWIFT(lessOrEqual),
  CKElementFunctionGreater,
  CKElementFunctionGreaterOrEqual CK_SWIFT(greaterOrEqual),
  /// The left number where the third one is not 0, else the right one.
  CKElementFunctionSelect,
  /// The same number.
  CKElementFunctionCopy,
  /// The nearest number of a narrower type, ties to even.
  CKElementFunctionRoundToFloat16 CK_SWIFT(roundToFloat16),
  CKElementFunctionRoundToBFloat16 CK_SWIFT(roundToBFloat16),
  /// 0 where the number is 0, else 1.
  CKElementFunctionTruth,
} CKElementFunction;

/// A function of values: of operands by their index, or of what earlier instructions made, which
/// count on behind the operands.
typedef struct CK_SWIFT(ElementInstruction) CKElementInstruction {
  CKElementFunction function;
  /// Any value where the function has fewer operands.
  int32_t left, right, third;
  /// The result it is written to, or -1 where nothing else reads it.
  int32_t result;
} CKElementInstruction;

/// Functions of tensors of one size, element by element: a few thousand elements go through all
/// instructions before the next, so that what lies between two instructions stays in the first-level
/// cache.
typedef struct CK_SWIFT(Elementwise) CKElementwise {
  CKVectors vectors;
  const CKElementInstruction *instructions;
  /// For each operand whether it is one number rather than as many as there are elements.
  const bool *isNumber;
  /// What results get of another type than `Float32` must be numbers of that type.
  const CKElementType *operandTypes, *resultTypes;
  int32_t instructionCount, operandCount;
  /// How many elements.
  ptrdiff_t count;
  /// How many threads share the work.
  int32_t threads;
} CKElementwise;

/// The most instructions and operands.
int32_t ck_elementwise_most_values(void) CK_SWIFT(getter:CKElementwise.mostValues());

/// Computes the share of one thread. No share waits for another, and how the work is shared changes
/// no bit.
///
/// - Parameters:
///   - operands, results: where they lie. A result may be an operand.
void ck_elementwise_run(
    const CKElementwise *elementwise, const void *const *operands, void *const *results,
    int32_t thread) CK_SWIFT(CKElementwise.run(self:operands:results:thread:));
