#pragma once
// GNU OpenMP's own entry points, which compilers call and for which no header is installed.
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
int omp_get_max_threads(void);
void omp_set_num_threads(int threads);
void omp_set_dynamic(int dynamic);
