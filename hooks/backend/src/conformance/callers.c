/* Callers, by name, of the functions that the conformance suite diverts: this library has a slot for each. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <unistd.h>

struct record { long number; double real; };

int conf_plain(int), conf_other(int), conf_short(void), conf_neighbour(void), conf_loop(int), conf_errno(int, int *), conf_jump(jmp_buf *),
    conf_wait(int *), conf_recursive(int, int (*)(int));
long conf_integers(long, long, long, long, long, long, long, long);
double conf_doubles(double, double, double, double, double, double, double, double, double, double);
struct record conf_mixed(int8_t, double, uint16_t, float, const struct record *, struct record *);

int call_plain(int x) { return conf_plain(x); }
int call_other(int x) { return conf_other(x); }
int call_short(void) { return conf_short(); }
int call_neighbour(void) { return conf_neighbour(); }
int call_loop(int x) { return conf_loop(x); }
int call_recursive(int n, int (*next)(int)) { return conf_recursive(n, next); }
int call_open(const char *path, int flags, int mode) { return open(path, flags, mode); }
long call_integers(long a, long b, long c, long d, long e, long f, long g, long h) { return conf_integers(a, b, c, d, e, f, g, h); }
double call_doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j) {
    return conf_doubles(a, b, c, d, e, f, g, h, i, j);
}
struct record call_mixed(int8_t a, double b, uint16_t c, float d, const struct record *e, struct record *out) {
    return conf_mixed(a, b, c, d, e, out);
}

/* An address that was looked up before anything was diverted. */
static int (*volatile held)(int) = conf_plain;
int call_held(int x) { return held(x); }

int call_errno(int before, int leave, int *seen, int *after) {
    errno = before;
    int result = conf_errno(leave, seen);
    *after = errno;
    return result;
}

int call_jump(void) {
    jmp_buf here;
    int how = setjmp(here);
    return how ? how : conf_jump(&here);
}

static void left(void *flag) { *(int *)flag = 1; }
int call_wait(int *waiting, int *cleaned) {
    int result;
    pthread_cleanup_push(left, cleaned);
    result = conf_wait(waiting);
    pthread_cleanup_pop(0);
    return result;
}

/* A program's use of a descriptor; 0, or the line where something was not as it should be. */
#define MUST(what) if (!(what)) return __LINE__
int call_system(void) {
    int ends[2];
    char byte = 'x';
    MUST(pipe2(ends, O_CLOEXEC) == 0);
    int copy = dup(ends[1]);
    MUST(copy >= 0);
    MUST(write(copy, &byte, 1) == 1);
    struct pollfd poll_for = {.fd = ends[0], .events = POLLIN};
    MUST(poll(&poll_for, 1, 0) == 1 && poll_for.revents == POLLIN);
    MUST(read(ends[0], &byte, 1) == 1 && byte == 'x');
    errno = 0;
    MUST(lseek(ends[0], 0, SEEK_CUR) == -1 && errno == ESPIPE);
    MUST(close(copy) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
    return 0;
}

#define LOAD(i)                                                                                                         \
    int conf_load_##i(int);                                                                                             \
    int call_load_##i(int x) { return conf_load_##i(x); }

/* The rounds follow, generated. */
