/* Threads of BLAS and of the kernels would compete for the cores, since both wait without sleeping: OpenBLAS offers to
 * have its work done by somebody else's, and so there is one team for both. Who computes a part changes no bit of it. */
#define _GNU_SOURCE
#include "blas_threads.h"

#include "team.h"

#include <stddef.h>

typedef void (*Job)(int thread, void *data, int more);
typedef void (*Callback)(int wait, Job job, int jobs, size_t size, void *data, int more);

#if defined(__linux__)
#include <dlfcn.h>
#include <link.h>
#include <string.h>

#define THREADS_AS_OF_PTHREADS 1

/* What NumPy's wheels, and builds with 64-bit and with 32-bit integers, call a function of OpenBLAS. */
#define FUNCTION(name) {"scipy_" name "64_", name "64_", "scipy_" name, name}
#define SPELLINGS 4

static int (*get_threads)(void);

typedef struct {
    int (*get_threads)(void);
    int (*get_parallel)(void);
    void (*set_callback)(Callback callback);
} Blas;

static void *find(void *library, const char *const *spellings)
{
    void *found = NULL;
    for (int i = 0; i < SPELLINGS && found == NULL; i++) {
        found = dlsym(library, spellings[i]);
    }
    return found;
}

/* Look for OpenBLAS among the libraries that are loaded; go on until there is one. */
static int look_at(struct dl_phdr_info *library, size_t size, void *blas)
{
    static const char *const threads[] = FUNCTION("openblas_get_num_threads");
    static const char *const parallel[] = FUNCTION("openblas_get_parallel");
    static const char *const callback[] = FUNCTION("openblas_set_threads_callback_function");
    (void)size;
    void *handle = strstr(library->dlpi_name, "blas") ? dlopen(library->dlpi_name, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (handle == NULL) {
        return 0;
    }
    Blas *found = blas;
    *(void **)&found->get_threads = find(handle, threads);
    *(void **)&found->get_parallel = find(handle, parallel);
    *(void **)&found->set_callback = find(handle, callback);
    dlclose(handle);
    return found->get_threads != NULL && found->get_parallel != NULL && found->set_callback != NULL;
}

typedef struct {
    Job job;
    size_t size;
    char *data;
    int more;
} Jobs;

static void do_job(int number, void *work)
{
    const Jobs *jobs = work;
    jobs->job(number, jobs->data + (size_t)number * jobs->size, jobs->more);
}

static void do_jobs(int wait, Job job, int count, size_t size, void *data, int more)
{
    (void)wait;
    Jobs jobs = {job, size, data, more};
    compute_parts_at_once(count, do_job, &jobs);
}

void share_team_with_blas(void)
{
    Blas blas;
    if (dl_iterate_phdr(look_at, &blas) && blas.get_parallel() == THREADS_AS_OF_PTHREADS) {
        blas.set_callback(do_jobs);
        get_threads = blas.get_threads;
    }
}

int blas_shares_team(void) { return get_threads != NULL; }

int blas_threads(void) { return blas_shares_team() ? get_threads() : 1; }

#else

void share_team_with_blas(void) {}

int blas_shares_team(void) { return 0; }

int blas_threads(void) { return 1; }

#endif
