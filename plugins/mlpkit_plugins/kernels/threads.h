/* Threads of the system: POSIX's, or those of Windows. */
#ifndef MLPKIT_THREADS_H
#define MLPKIT_THREADS_H

#include <stdint.h>

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

typedef SRWLOCK Lock;
typedef CONDITION_VARIABLE Condition;
#define LOCK_FREE SRWLOCK_INIT
#define CONDITION_EMPTY CONDITION_VARIABLE_INIT

/* Define what a thread runs: a function that takes its number. */
#define THREAD(name, function)                                                                                         \
    static DWORD WINAPI name(void *number)                                                                             \
    {                                                                                                                  \
        function((intptr_t)number);                                                                                    \
        return 0;                                                                                                      \
    }
typedef DWORD(WINAPI *Thread)(void *number);

static inline void take_lock(Lock *lock) { AcquireSRWLockExclusive(lock); }
static inline int try_lock(Lock *lock) { return TryAcquireSRWLockExclusive(lock); }
static inline void release_lock(Lock *lock) { ReleaseSRWLockExclusive(lock); }
static inline void wait_for(Condition *condition, Lock *lock)
{
    SleepConditionVariableSRW(condition, lock, INFINITE, 0);
}
static inline void wake_all(Condition *condition) { WakeAllConditionVariable(condition); }
static inline void yield_core(void) { SwitchToThread(); }
static inline void sleep_a_millisecond(void) { Sleep(1); }

static inline int64_t nanoseconds(void)
{
    LARGE_INTEGER ticks, per_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&per_second);
    return (int64_t)((double)ticks.QuadPart * 1e9 / (double)per_second.QuadPart);
}

/* Start a thread; return whether the system had one left. */
static inline int start_thread(Thread thread, intptr_t number)
{
    HANDLE handle = CreateThread(NULL, 0, thread, (void *)number, 0, NULL);
    return handle != NULL && CloseHandle(handle);
}

#else

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

typedef pthread_mutex_t Lock;
typedef pthread_cond_t Condition;
#define LOCK_FREE PTHREAD_MUTEX_INITIALIZER
#define CONDITION_EMPTY PTHREAD_COND_INITIALIZER

#define THREAD(name, function)                                                                                         \
    static void *name(void *number)                                                                                    \
    {                                                                                                                  \
        function((intptr_t)number);                                                                                    \
        return NULL;                                                                                                   \
    }
typedef void *(*Thread)(void *number);

static inline void take_lock(Lock *lock) { pthread_mutex_lock(lock); }
static inline int try_lock(Lock *lock) { return pthread_mutex_trylock(lock) == 0; }
static inline void release_lock(Lock *lock) { pthread_mutex_unlock(lock); }
static inline void wait_for(Condition *condition, Lock *lock) { pthread_cond_wait(condition, lock); }
static inline void wake_all(Condition *condition) { pthread_cond_broadcast(condition); }
static inline void yield_core(void) { sched_yield(); }

static inline void sleep_a_millisecond(void)
{
    const struct timespec moment = {0, 1000000};
    nanosleep(&moment, NULL);
}

static inline int64_t nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Start a thread that blocks all signals, which are for Python's threads; return whether the system had one left. */
static inline int start_thread(Thread thread, intptr_t number)
{
    sigset_t all, before;
    pthread_t started;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int missing = pthread_create(&started, NULL, thread, (void *)number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !missing && !pthread_detach(started);
}

#endif

#endif
