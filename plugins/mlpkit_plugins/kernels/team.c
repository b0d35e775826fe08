/* Members spin for some milliseconds before they sleep: a training step has work every few microseconds, and waking a
 * thread takes longer than most of it. */
#define _GNU_SOURCE
#include "team.h"

#include "float_mode.h"
#include "threads.h"

#include <stdatomic.h>
#include <stdint.h>

/* The number of polls before a thread yields between polls. */
#define POLLS_BEFORE_YIELDING 2000

/* How long a member waits without sleeping. */
#define AWAKE_NANOSECONDS 5000000

#if defined(__x86_64__) || defined(__i386__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ __volatile__("yield")
#else
#define PAUSE() ((void)0)
#endif

/* The parts not yet taken, in one atomic word: the number of the work, the first part left, and the end of the parts.
 * The number ensures that a member takes a part only from the work it has read. */
typedef uint64_t Left;
#define LEFT(work, first, end) ((Left)(work) << 32 | (Left)(first) << 16 | (Left)(end))
#define WORK(left) ((uint32_t)((left) >> 32))
#define FIRST(left) ((int)((left) >> 16 & 0xffff))
#define END(left) ((int)((left) & 0xffff))
#define MAX_PARTS 0xffff

static struct {
    _Alignas(128) _Atomic Left left;
    _Atomic(Part) part;
    _Atomic(void *) work;
    _Atomic FloatMode mode;              /* the caller's, used by all members */
    atomic_int wanted;                   /* the number of members that may take parts: those with the lowest numbers */
    _Alignas(128) atomic_int unfinished; /* parts not yet computed */
    _Alignas(128) atomic_int asleep;     /* members that may take parts but sleep */
    Lock sleep;
    Condition wake;
    Lock caller; /* held by the caller that has the team */
    int members; /* started so far, without the caller */
} team = {.sleep = LOCK_FREE, .wake = CONDITION_EMPTY, .caller = LOCK_FREE};

static void wait_a_moment(int *polls)
{
    if (*polls < POLLS_BEFORE_YIELDING) {
        ++*polls;
        PAUSE();
    }
    else {
        yield_core();
    }
}

/* Take parts and compute them until none are left. */
static void compute(int is_caller)
{
    Left left = atomic_load_explicit(&team.left, memory_order_acquire);
    while (FIRST(left) < END(left)) {
        Part part = atomic_load_explicit(&team.part, memory_order_relaxed);
        void *work = atomic_load_explicit(&team.work, memory_order_relaxed);
        FloatMode mode = atomic_load_explicit(&team.mode, memory_order_relaxed);
        int first = FIRST(left) + (is_caller != 0), end = END(left) - (is_caller == 0);
        /* If this succeeds, the work is still the one that was read. */
        if (atomic_compare_exchange_weak_explicit(&team.left, &left, LEFT(WORK(left), first, end), memory_order_acq_rel,
                                                  memory_order_acquire)) {
            if (!is_caller && mode != float_mode()) {
                set_float_mode(mode);
            }
            part(is_caller ? first - 1 : end, work);
            atomic_fetch_sub_explicit(&team.unfinished, 1, memory_order_release);
            left = atomic_load_explicit(&team.left, memory_order_acquire);
        }
    }
}

/* The number of members that may take parts. */
static int wanted(void) { return atomic_load_explicit(&team.wanted, memory_order_relaxed); }

/* Whether a part is left for the member with that number. */
static int is_any_left(int member)
{
    Left left = atomic_load_explicit(&team.left, memory_order_seq_cst);
    return FIRST(left) < END(left) && member <= wanted();
}

/* A member first announces that it sleeps and then checks for work; a caller first publishes its work and then checks
 * for sleepers. So at least one of them sees the other. */
static void sleep_until_there_is_work(int member)
{
    take_lock(&team.sleep);
    while (!is_any_left(member)) {
        int missed = member <= wanted();
        atomic_fetch_add_explicit(&team.asleep, missed, memory_order_seq_cst);
        if (!is_any_left(member)) {
            wait_for(&team.wake, &team.sleep);
        }
        atomic_fetch_sub_explicit(&team.asleep, missed, memory_order_seq_cst);
    }
    release_lock(&team.sleep);
}

static void serve(intptr_t number)
{
    int member = (int)number;
    for (;;) {
        int polls = 0;
        int64_t end = 0;
        while (!is_any_left(member)) {
            wait_a_moment(&polls);
            if (polls < POLLS_BEFORE_YIELDING) {
                continue;
            }
            int64_t time = nanoseconds();
            if (end == 0) {
                end = time + AWAKE_NANOSECONDS;
            }
            else if (time > end) {
                sleep_until_there_is_work(member);
            }
        }
        compute(0);
    }
}
THREAD(serving, serve)

/* Start members until there are that many, or the system has no more threads. */
static void start_members(int count)
{
    while (team.members < count && start_thread(serving, team.members + 1)) {
        team.members++;
    }
}

/* Let the members up to that number take parts; return whether that many exist. */
static int want(int count)
{
    if (wanted() == count) {
        return 1; /* sleeping members stay asleep */
    }
    if (team.members < count) {
        start_members(count);
    }
    take_lock(&team.sleep);
    atomic_store_explicit(&team.wanted, count < team.members ? count : team.members, memory_order_relaxed);
    wake_all(&team.wake);
    release_lock(&team.sleep);
    return team.members >= count;
}

/* Compute all parts with the team, which is the caller's. */
static void compute_together(int parts, Part part, void *work)
{
    static uint32_t number;
    atomic_store_explicit(&team.part, part, memory_order_relaxed);
    atomic_store_explicit(&team.work, work, memory_order_relaxed);
    atomic_store_explicit(&team.mode, float_mode(), memory_order_relaxed);
    atomic_store_explicit(&team.unfinished, parts, memory_order_relaxed);
    atomic_store_explicit(&team.left, LEFT(++number, 0, parts), memory_order_seq_cst);
    if (atomic_load_explicit(&team.asleep, memory_order_seq_cst) > 0) {
        take_lock(&team.sleep);
        wake_all(&team.wake);
        release_lock(&team.sleep);
    }
    compute(1);
    for (int polls = 0; atomic_load_explicit(&team.unfinished, memory_order_acquire) > 0;) {
        wait_a_moment(&polls);
    }
}

static void compute_alone(int parts, Part part, void *work)
{
    for (int number = 0; number < parts; number++) {
        part(number, work);
    }
}

#ifdef _WIN32
static void prepare_for_forks(void) {} /* Windows has no forks */
#else
static void hold_for_fork(void) { take_lock(&team.caller); }
static void release_in_parent(void) { release_lock(&team.caller); }

/* After a fork, the child has none of its parent's members. */
static void start_over_in_child(void)
{
    team.members = 0;
    atomic_store(&team.wanted, 0);
    atomic_store(&team.asleep, 0);
    team.sleep = (Lock)LOCK_FREE;
    team.wake = (Condition)CONDITION_EMPTY;
    release_lock(&team.caller);
}

static void register_handlers(void) { pthread_atfork(hold_for_fork, release_in_parent, start_over_in_child); }

static void prepare_for_forks(void)
{
    static pthread_once_t prepared = PTHREAD_ONCE_INIT;
    pthread_once(&prepared, register_handlers);
}
#endif

void compute_parts(int parts, Part part, void *work, int members)
{
    prepare_for_forks();
    if (parts > MAX_PARTS || !try_lock(&team.caller)) {
        compute_alone(parts, part, work);
        return;
    }
    want(members - 1);
    compute_together(parts, part, work);
    release_lock(&team.caller);
}

void compute_parts_at_once(int parts, Part part, void *work)
{
    prepare_for_forks();
    take_lock(&team.caller);
    while (wanted() < parts - 1 && !want(parts - 1)) {
        sleep_a_millisecond();
    }
    compute_together(parts, part, work);
    release_lock(&team.caller);
}

int start_team(int members)
{
    prepare_for_forks();
    take_lock(&team.caller);
    int complete = want(members - 1);
    release_lock(&team.caller);
    return complete;
}
