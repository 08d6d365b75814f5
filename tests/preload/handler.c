// A signal handler that writes to a descriptor, of a library that a Python program loads.
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static int descriptor;
static volatile int seen;

static void handle(int number) {
    int before = errno;
    write(descriptor, &number, 1);
    seen++;
    errno = before;
}

static void every(int microseconds) {
    struct itimerval often = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &often, NULL);
}

void start(int fd) {
    descriptor = fd;
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    every(200);
}

int stop(void) {
    every(0);
    return seen;
}
