// storms MODE COUNT: each mode ends with "ok", or is found to hang or crash by who started it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: %s, errno %d\n", __LINE__, #condition, errno); \
            abort(); \
        } \
    } while (0)

static atomic_int over;
static int sockets[2];

static void *traffic(void *argument) {
    char byte = 'x';
    while (!atomic_load(&over)) {
        int pair[2];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        CHECK(send(pair[0], &byte, 1, 0) == 1);
        CHECK(recv(pair[1], &byte, 1, 0) == 1);
        CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
        int file = open("/dev/null", O_RDWR | O_CLOEXEC);
        CHECK(file >= 0 && write(file, &byte, 1) == 1 && close(file) == 0);
    }
    return argument;
}

static void in_child(int how) {
    int file = open("/dev/null", O_RDWR);
    if (file < 0 || write(file, "x", 1) != 1 || close(file) != 0) _exit(9);
    if (how == 0) _exit(7);
    if (how == 1) execl("/bin/sh", "sh", "-c", "exit 7", NULL);
    if (how == 2) {
        pthread_t thread;
        atomic_store(&over, 1);
        if (pthread_create(&thread, NULL, traffic, NULL) != 0 || pthread_join(thread, NULL) != 0) _exit(8);
        _exit(7);
    }
    if (how == 3) exit(7);
    _exit(10);
}

static void wait_for_seven(pid_t pid) {
    int status;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void *fork_here(void *count) {
    for (long i = 0; i < (long)count; i++) {
        pid_t pid = fork();
        if (pid == 0) in_child(i % 4);
        wait_for_seven(pid);
    }
    return NULL;
}

static void *vfork_here(void *count) {
    for (long i = 0; i < (long)count; i++) {
        pid_t pid = vfork();
        if (pid == 0) {
            // As libraries do it, although POSIX allows less.
            int file = open("/dev/null", O_RDWR);
            dup2(file, 1);
            close(file);
            if (i % 2) execl("/bin/sh", "sh", "-c", "exit 7", NULL);
            _exit(7);
        }
        wait_for_seven(pid);
    }
    return NULL;
}

static void under_load(void *(*what)(void *), long count, int in_thread) {
    pthread_t busy[4], thread;
    for (int i = 0; i < 4; i++) CHECK(pthread_create(&busy[i], NULL, traffic, NULL) == 0);
    if (in_thread) {
        CHECK(pthread_create(&thread, NULL, what, (void *)count) == 0 && pthread_join(thread, NULL) == 0);
    } else {
        what((void *)count);
    }
    atomic_store(&over, 1);
    for (int i = 0; i < 4; i++) CHECK(pthread_join(busy[i], NULL) == 0);
}

static void *brief(void *argument) {
    atomic_int *done = argument;
    char byte = 'x';
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(send(pair[0], &byte, 1, 0) == 1 && recv(pair[1], &byte, 1, 0) == 1);
    CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
    atomic_fetch_add(done, 1);
    return done;
}

static void threads(long storms) {
    for (long i = 0; i < storms; i++) {
        enum { MANY = 50 };
        pthread_t all[MANY];
        atomic_int done = 0;
        for (int at = 0; at < MANY; at++) CHECK(pthread_create(&all[at], NULL, brief, &done) == 0);
        for (int at = 0; at < MANY; at++) {
            void *returned;
            CHECK(pthread_join(all[at], &returned) == 0 && returned == &done);
        }
        CHECK(done == MANY);
    }
}

// More threads at once than there are records.
static pthread_barrier_t all_there;

static void *meet(void *argument) {
    char byte;
    int pipes[2];
    CHECK(pipe(pipes) == 0 && write(pipes[1], "x", 1) == 1);
    pthread_barrier_wait(&all_there);
    CHECK(read(pipes[0], &byte, 1) == 1 && close(pipes[0]) == 0 && close(pipes[1]) == 0);
    return argument;
}

static void crowd(long count) {
    pthread_t *all = calloc(count, sizeof *all);
    pthread_attr_t small;
    pthread_attr_init(&small);
    CHECK(pthread_attr_setstacksize(&small, 65536) == 0);
    pthread_barrier_init(&all_there, NULL, count);
    for (long at = 0; at < count; at++) CHECK(pthread_create(&all[at], &small, meet, NULL) == 0);
    for (long at = 0; at < count; at++) CHECK(pthread_join(all[at], NULL) == 0);
    free(all);
}

static atomic_long begun, cleaned;

static void clean_up(void *argument) { atomic_fetch_add(&cleaned, (long)argument); }

static void *blocked(void *how) {
    char byte;
    struct pollfd polled = {.fd = sockets[0], .events = POLLIN};
    pthread_cleanup_push(clean_up, (void *)1L);
    atomic_fetch_add(&begun, 1);
    for (;;) {
        switch ((long)how) {
        case 0: read(sockets[0], &byte, 1); break;
        case 1: poll(&polled, 1, -1); break;
        case 2: recv(sockets[0], &byte, 1, 0); break;
        case 3: {
            fd_set set;
            FD_ZERO(&set);
            FD_SET(sockets[0], &set);
            select(sockets[0] + 1, &set, NULL, NULL, NULL);
            break;
        }
        case 4: {
            struct iovec part = {&byte, 1};
            struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
            recvmsg(sockets[0], &message, 0);
            break;
        }
        case 5: close(open("/dev/null", O_RDWR)); break; // cancelled in whatever it is then
        default: {
            char many[1 << 16] = {0};
            send(sockets[0], many, sizeof many, 0); // nobody reads
        }
        }
    }
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancel(long count) {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        void *returned;
        long before = begun;
        CHECK(pthread_create(&thread, NULL, blocked, (void *)(i % 7)) == 0);
        // Every third one perhaps before it has begun.
        while (i % 3 && begun == before) usleep(700);
        CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &returned) == 0 && returned == PTHREAD_CANCELED);
    }
    CHECK(cleaned <= count && cleaned > 0);
    // The cancelled threads left no use behind that keeps others from working.
    CHECK(fcntl(sockets[1], F_SETFL, O_NONBLOCK) == 0);
    char buffer[1 << 16];
    while (read(sockets[1], buffer, sizeof buffer) > 0) {}
    CHECK(write(sockets[1], "x", 1) == 1 && read(sockets[0], buffer, 1) == 1);
}

static __attribute__((noinline)) void down(int depth) {
    volatile char frame[64];
    frame[depth] = 0;
    if (depth == 0) {
        pthread_exit((void *)77);
    }
    pthread_cleanup_push(clean_up, (void *)1L);
    close(dup(0));
    down(depth - 1);
    pthread_cleanup_pop(0);
}

static void *leaves(void *argument) {
    down(20);
    return argument;
}

static void leave(long count) {
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        void *returned;
        CHECK(pthread_create(&thread, NULL, leaves, NULL) == 0 && pthread_join(thread, &returned) == 0);
        CHECK(returned == (void *)77);
    }
    CHECK(cleaned == count * 20);
}

static int out;
static atomic_long ticks;

static void tick(int number) {
    int before = errno;
    CHECK(write(out, &number, 1) == 1);
    int copy = dup(out);
    CHECK(copy >= 0 && close(copy) == 0);
    struct pollfd polled = {.fd = out, .events = POLLOUT};
    poll(&polled, 1, 0);
    atomic_fetch_add(&ticks, 1);
    errno = before;
}

static void *ticked(void *milliseconds) {
    struct timeval now, end;
    gettimeofday(&end, NULL);
    end.tv_usec += (long)milliseconds * 1000;
    char byte = 'x';
    do {
        int pair[2];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        errno = 4242;
        CHECK(send(pair[0], &byte, 1, 0) == 1 && errno == 4242);
        CHECK(recv(pair[1], &byte, 1, 0) == 1 && errno == 4242);
        CHECK(close(pair[0]) == 0 && close(pair[1]) == 0 && errno == 4242);
        gettimeofday(&now, NULL);
    } while ((now.tv_sec - end.tv_sec) * 1000000L + now.tv_usec - end.tv_usec < 0);
    return NULL;
}

static void signals(long milliseconds) {
    CHECK((out = open("/dev/null", O_RDWR)) >= 0);
    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGPROF, &action, NULL) == 0);
    // The clock of the processor: every thread is hit where it is busy.
    struct itimerval often = {{0, 1000}, {0, 1000}};
    CHECK(setitimer(ITIMER_PROF, &often, NULL) == 0);
    pthread_t all[3];
    for (int i = 0; i < 3; i++) CHECK(pthread_create(&all[i], NULL, ticked, (void *)milliseconds) == 0);
    for (int i = 0; i < 3; i++) CHECK(pthread_join(all[i], NULL) == 0);
    memset(&often, 0, sizeof often);
    setitimer(ITIMER_PROF, &often, NULL);
    CHECK(ticks > 0);
}

// A handler with little stack closes something while another thread waits in poll, and a thread with little stack does.
static void *polls(void *argument) {
    struct pollfd polled = {.fd = sockets[0], .events = POLLIN};
    CHECK(poll(&polled, 1, 20000) == 1);
    return argument;
}

static void close_one(int number) { close(dup(sockets[1])); }

static void *closes(void *argument) {
    close_one(0);
    return argument;
}

static void little(void) {
    pthread_t waiting, brief;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0 && pthread_create(&waiting, NULL, polls, NULL) == 0);
    usleep(100000);
    size_t size = sysconf(_SC_MINSIGSTKSZ) + 5000;
    char *guard = mmap(NULL, 65536 + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mprotect(guard, 65536, PROT_NONE) == 0);
    stack_t stack = {.ss_sp = guard + 65536, .ss_size = size}, before;
    struct sigaction action = {.sa_handler = close_one, .sa_flags = SA_ONSTACK};
    CHECK(sigaltstack(&stack, &before) == 0 && sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0);
    CHECK(sigaltstack(&before, NULL) == 0);
    pthread_attr_t small;
    pthread_attr_init(&small);
    CHECK(pthread_attr_setstacksize(&small, sysconf(_SC_THREAD_STACK_MIN)) == 0);
    CHECK(pthread_create(&brief, &small, closes, NULL) == 0 && pthread_join(brief, NULL) == 0);
    CHECK(write(sockets[1], "x", 1) == 1 && pthread_join(waiting, NULL) == 0);
}

static void *executes(void *argument) {
    execl("/bin/sh", "sh", "-c", "echo ok", NULL);
    return argument;
}

static void exec_in_thread(void) {
    pthread_t busy[2], thread;
    for (int i = 0; i < 2; i++) CHECK(pthread_create(&busy[i], NULL, traffic, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, executes, NULL) == 0);
    pthread_join(thread, NULL);
    abort();
}

// Descriptors beyond those that are watched.
static void high(void) {
    struct rlimit limit = {70010, 70010};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        puts("no permission");
        exit(0);
    }
    static const int places[] = {65534, 65535, 65536, 65537, 70001};
    for (int i = 0; i < 5; i++) {
        char byte;
        int pipes[2], at = places[i];
        CHECK(pipe(pipes) == 0 && dup2(pipes[0], at) == at && fcntl(pipes[0], F_DUPFD, at + 1) >= at + 1);
        CHECK(write(pipes[1], "x", 1) == 1 && read(at, &byte, 1) == 1);
        struct pollfd polled = {.fd = at, .events = POLLIN};
        CHECK(poll(&polled, 1, 0) == 0);
        CHECK(close(at) == 0);
        CHECK(close(at) == -1 && errno == EBADF);
        CHECK(close(pipes[0]) == 0 && close(pipes[1]) == 0);
    }
    CHECK(close_range(65000, ~0U, 0) == 0);
}

int main(int count, char **words) {
    CHECK(count == 3);
    const char *mode = words[1];
    long much = atol(words[2]);
    if (!strcmp(mode, "fork")) under_load(fork_here, much, 0);
    else if (!strcmp(mode, "fork-in-thread")) under_load(fork_here, much, 1);
    else if (!strcmp(mode, "vfork")) under_load(vfork_here, much, 0);
    else if (!strcmp(mode, "vfork-in-thread")) under_load(vfork_here, much, 1);
    else if (!strcmp(mode, "threads")) threads(much);
    else if (!strcmp(mode, "crowd")) crowd(much);
    else if (!strcmp(mode, "cancel")) cancel(much);
    else if (!strcmp(mode, "leave")) leave(much);
    else if (!strcmp(mode, "signals")) signals(much);
    else if (!strcmp(mode, "exec")) exec_in_thread();
    else if (!strcmp(mode, "high")) high();
    else if (!strcmp(mode, "little")) little();
    else CHECK(!"a mode");
    puts("ok");
    return 0;
}
