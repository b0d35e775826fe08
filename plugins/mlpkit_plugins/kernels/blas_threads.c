/* The threads of BLAS and of the kernels would compete for the cores, since both wait without sleeping. OpenBLAS lets
 * other threads do its work, so one team serves both. The bits of a part don't depend on its thread. */
#define _GNU_SOURCE
#include "blas_threads.h"

#include "team.h"

#include <stddef.h>

#if defined(__linux__)
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_AS_OF_PTHREADS 1
#define MAX_LIBRARIES 8

/* The names of an OpenBLAS function in NumPy's wheels, and in builds with 64-bit and with 32-bit integers. */
#define FUNCTION(name) {"scipy_" name "64_", name "64_", "scipy_" name, name}
#define SPELLINGS 4

typedef void (*Job)(int thread, void *data, int more);
typedef void (*Callback)(int wait, Job job, int jobs, size_t size, void *data, int more);

typedef struct {
    int (*get_threads)(void);
    int (*get_parallel)(void);
    void (*set_callback)(Callback callback);
} Blas;

static Blas blas;

typedef struct {
    char *names[MAX_LIBRARIES];
    int count;
} Libraries;

/* SciPy's wheels bring their own OpenBLAS, and NumPy may use another BLAS. */
static int is_of_scipy(const char *library)
{
    return strstr(library, "/scipy.libs/") != NULL || strstr(library, "/scipy/") != NULL;
}

/* Record a library's name. It must not be opened here: this thread holds the loader's lock, and another thread may be
 * waiting for that lock while it holds the one that opening needs. */
static int record_library(struct dl_phdr_info *library, size_t size, void *noted)
{
    Libraries *libraries = noted;
    (void)size;
    if (strstr(library->dlpi_name, "blas") && !is_of_scipy(library->dlpi_name) && libraries->count < MAX_LIBRARIES) {
        char *name = strdup(library->dlpi_name);
        if (name != NULL) {
            libraries->names[libraries->count++] = name;
        }
    }
    return 0;
}

static void *find(void *library, const char *const *spellings)
{
    void *found = NULL;
    for (int i = 0; i < SPELLINGS && found == NULL; i++) {
        found = dlsym(library, spellings[i]);
    }
    return found;
}

/* Find the functions in a loaded library; 0 if it isn't an OpenBLAS that can share the team. */
static int use_library(const char *name)
{
    static const char *const threads[] = FUNCTION("openblas_get_num_threads");
    static const char *const parallel[] = FUNCTION("openblas_get_parallel");
    static const char *const callback[] = FUNCTION("openblas_set_threads_callback_function");
    void *handle = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    if (handle == NULL) {
        return 0;
    }
    Blas found;
    *(void **)&found.get_threads = find(handle, threads);
    *(void **)&found.get_parallel = find(handle, parallel);
    *(void **)&found.set_callback = find(handle, callback);
    dlclose(handle);
    if (found.get_threads == NULL || found.get_parallel == NULL || found.set_callback == NULL ||
        found.get_parallel() != THREADS_AS_OF_PTHREADS) {
        return 0;
    }
    blas = found;
    return 1;
}

/* Users may opt out, so that BLAS keeps its own threads. */
static int may_share(void)
{
    const char *choice = getenv("MLPKIT_SHARE_BLAS");
    return choice == NULL || strcmp(choice, "0") != 0;
}

void find_blas(void)
{
    Libraries libraries = {.count = 0};
    if (may_share()) {
        dl_iterate_phdr(record_library, &libraries);
    }
    int found = 0;
    for (int i = 0; i < libraries.count; i++) {
        found = found || use_library(libraries.names[i]);
        free(libraries.names[i]);
    }
}

int blas_can_share_team(void) { return blas.get_threads != NULL; }

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

static struct {
    pthread_mutex_t lock;
    int users;
    atomic_int shared; /* whether the team computes for BLAS */
} sharing = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void hold_for_fork(void) { pthread_mutex_lock(&sharing.lock); }
static void release_in_parent(void) { pthread_mutex_unlock(&sharing.lock); }

/* The child of a fork has no team yet: BLAS computes by itself until the child begins to share. */
static void stop_sharing_in_child(void)
{
    if (sharing.shared) {
        blas.set_callback(NULL);
    }
    sharing.shared = 0;
    sharing.users = 0;
    pthread_mutex_unlock(&sharing.lock);
}

static void prepare_for_forks(void) { pthread_atfork(hold_for_fork, release_in_parent, stop_sharing_in_child); }
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* OpenBLAS's jobs wait for each other, so the team must be complete before it gets them. */
void begin_sharing_team(void)
{
    if (!blas_can_share_team()) {
        return;
    }
    int threads = blas.get_threads(), complete = !sharing.shared && threads > 1 && start_team(threads);
    pthread_once(&prepared, prepare_for_forks);
    pthread_mutex_lock(&sharing.lock);
    sharing.users++;
    if (!sharing.shared && complete) {
        blas.set_callback(do_jobs);
        sharing.shared = 1;
    }
    pthread_mutex_unlock(&sharing.lock);
}

void end_sharing_team(void)
{
    if (!blas_can_share_team()) {
        return;
    }
    pthread_mutex_lock(&sharing.lock);
    if (sharing.users > 0 && --sharing.users == 0 && sharing.shared) {
        blas.set_callback(NULL);
        sharing.shared = 0;
    }
    pthread_mutex_unlock(&sharing.lock);
}

int blas_threads(void) { return sharing.shared ? blas.get_threads() : 1; }

#else

void find_blas(void) {}

int blas_can_share_team(void) { return 0; }

void begin_sharing_team(void) {}

void end_sharing_team(void) {}

int blas_threads(void) { return 1; }

#endif
