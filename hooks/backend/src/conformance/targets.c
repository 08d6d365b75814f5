/* The functions that the conformance suite diverts.  Every function is exported, so its own library reaches it by name too. */
#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <unistd.h>

struct record { long number; double real; };

int conf_plain(int x) { return 3 * x + 1; }
int conf_other(int x) { return 5 * x + 2; }

/* Nobody imports it. */
int conf_nobody(int x) { return 7 * x; }

/* A call that goes through no slot: its address was known when this was linked. */
extern int plain_inside(int x) __attribute__((alias("conf_plain"), visibility("hidden")));
int conf_inside(int x) { return plain_inside(x); }

/* More arguments than registers for them. */
long conf_integers(long a, long b, long c, long d, long e, long f, long g, long h) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}
double conf_doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
/* Returned in an integer register and one for doubles. */
struct record conf_mixed(int8_t a, double b, uint16_t c, float d, const struct record *e, struct record *out) {
    out->number = e->number + a;
    out->real = e->real + d;
    struct record result = {a + c + e->number, b + d + e->real};
    return result;
}

int conf_errno(int leave, int *seen) {
    *seen = errno;
    errno = leave;
    return leave;
}

int conf_recursive(int n, int (*next)(int)) { return n == 0 ? 0 : n + next(n - 1); }

/* Leaves by other ways than its end. */
int conf_jump(jmp_buf *to) { longjmp(*to, 42); }
int conf_wait(int *waiting) {
    __atomic_store_n(waiting, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
}

/* Shorter than a jump, with the next function right behind it; and a function that jumps back to its first instruction. */
#if defined(__x86_64__)
__asm__(".text\n.globl conf_short\n.type conf_short, @function\nconf_short: xor %eax, %eax\n ret\n.size conf_short, .-conf_short\n"
        ".globl conf_neighbour\n.type conf_neighbour, @function\nconf_neighbour: mov $11, %eax\n ret\n"
        ".size conf_neighbour, .-conf_neighbour\n"
        ".globl conf_loop\n.type conf_loop, @function\nconf_loop: dec %edi\n jnz conf_loop\n mov $13, %eax\n ret\n"
        ".size conf_loop, .-conf_loop\n");
#elif defined(__aarch64__)
__asm__(".text\n.globl conf_short\n.type conf_short, %function\nconf_short: mov w0, #0\n ret\n.size conf_short, .-conf_short\n"
        ".globl conf_neighbour\n.type conf_neighbour, %function\nconf_neighbour: mov w0, #11\n ret\n"
        ".size conf_neighbour, .-conf_neighbour\n"
        ".globl conf_loop\n.type conf_loop, %function\nconf_loop: subs w0, w0, #1\n b.ne conf_loop\n mov w0, #13\n ret\n"
        ".size conf_loop, .-conf_loop\n");
#endif

/* Functions for the load test, in the four ways in which a function may begin, each with a detour that tells itself by its result. */
static volatile int zero;

/* Large, for code that a jump fits into. */
#define BASE 1000

#define DETOUR(i)                                                                                                       \
    uintptr_t original_load_##i;                                                                                        \
    int detour_load_##i(int x) {                                                                                        \
        uintptr_t original = __atomic_load_n(&original_load_##i, __ATOMIC_ACQUIRE);                                     \
        return original ? ((int (*)(int))original)(x) + 1000000 : -1;                                                   \
    }
#define LOAD_LEAF(i)                                                                                                    \
    int conf_load_##i(int x) { return 3 * x + BASE + i; }                                                               \
    DETOUR(i)
#define LOAD_BRANCH(i)                                                                                                  \
    int conf_load_##i(int x) {                                                                                          \
        if (x < 0)                                                                                                      \
            return zero;                                                                                                \
        return 3 * x + BASE + i;                                                                                        \
    }                                                                                                                   \
    DETOUR(i)
#define LOAD_GLOBAL(i)                                                                                                  \
    int conf_load_##i(int x) { return zero + 3 * x + BASE + i; }                                                        \
    DETOUR(i)
#define LOAD_FRAME(i)                                                                                                   \
    int conf_load_##i(int x) {                                                                                          \
        volatile int frame[64];                                                                                         \
        frame[x & 63] = 3 * x + zero;                                                                                   \
        return frame[x & 63] + BASE + i;                                                                                \
    }                                                                                                                   \
    DETOUR(i)

/* The rounds follow, generated. */
