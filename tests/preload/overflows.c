// A thread crashes, and the program's handler of that overflows the stack that it runs on.
#include <pthread.h>
#include <signal.h>
#include <stddef.h>

static int deeper(int depth) {
    volatile char used[64];
    used[0] = depth;
    return deeper(depth + 1) + used[0];
}

static void handle(int number) { deeper(number); }

static void *crash(void *nothing) {
    *(volatile int *)NULL = 1;
    return NULL;
}

int main(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, crash, NULL);
    pthread_join(thread, NULL);
}
