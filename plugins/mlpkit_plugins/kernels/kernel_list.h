/* The list of kernels; with_numpy.py states what each computes. The including file defines one or both of
 *
 *     KERNEL(name, count)              a kernel, and how many arguments it takes
 *     ACTIVATION(name, parameters)     an activation and its gradient, whose value and slope activations.h defines, and
 *                                      how many parameters it has: 0 or 1
 */
#ifndef KERNEL
#define KERNEL(name, count)
#endif
#ifndef ACTIVATION
#define ACTIVATION(name, parameters) KERNEL(name, 2 + parameters) KERNEL(name##_gradient, 3 + parameters)
#endif

KERNEL(product, 3)
KERNEL(product_plus_row, 4)
KERNEL(convolution, 5)
KERNEL(convolution_inputs_gradient, 5)
KERNEL(convolution_weights_gradient, 5)
KERNEL(pad_images, 3)
KERNEL(flatten_images, 2)
KERNEL(average_pool, 4)
KERNEL(max_pool, 4)
KERNEL(max_pool_gradient, 6)
KERNEL(rectify, 2)
KERNEL(keep_where_positive, 3)
ACTIVATION(sigmoid, 0)
ACTIVATION(tanh, 0)
ACTIVATION(softplus, 0)
ACTIVATION(gelu, 0)
ACTIVATION(silu, 0)
ACTIVATION(mish, 0)
ACTIVATION(selu, 0)
ACTIVATION(elu, 1)
ACTIVATION(leaky_relu, 1)
KERNEL(prelu, 3)
KERNEL(prelu_gradient, 5)
KERNEL(lerp, 4)
KERNEL(lerp_gradient, 7)
KERNEL(exp, 2)
KERNEL(cos, 2)
KERNEL(sin, 2)
KERNEL(drop, 4)
KERNEL(philox_words, 3)
KERNEL(scale_elements, 3)
KERNEL(scale_features, 3)
KERNEL(scale_and_shift_features, 4)
KERNEL(feature_sums, 2)
KERNEL(feature_sums_of_products, 4)
KERNEL(feature_sums_of_squares, 4)
KERNEL(normalize, 7)
KERNEL(normalize_gradient, 6)
KERNEL(normalize_rows, 7)
KERNEL(normalize_rows_gradient, 6)
KERNEL(softmax, 2)
KERNEL(shift_transposed, 2)
KERNEL(pick_labels, 3)
KERNEL(normalize_columns, 2)
KERNEL(cross_entropy_gradient, 4)
KERNEL(descend, 3)
KERNEL(descend_adaptively, 11)
KERNEL(flush_subnormal, 1)
KERNEL(take_scaled, 4)
KERNEL(take_rows, 3)
KERNEL(read_rows, 4)
KERNEL(read_csv_records, 8)
KERNEL(distinct_fields, 5)

#undef KERNEL
#undef ACTIVATION
