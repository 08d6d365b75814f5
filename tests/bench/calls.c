/* Calls each function many times and prints its name and the CPU nanoseconds of a call. */
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CALLS 2000000

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

#define MEASURE(name, call)                                    \
    do {                                                       \
        double start = now();                                  \
        for (long i = 0; i < CALLS; i++)                       \
            (void)!(call);                                     \
        printf(name " %.3f\n", (now() - start) / CALLS);       \
    } while (0)

int main(void)
{
    char byte[16] = {0};
    struct epoll_event event;
    struct pollfd fd = {8, POLLIN, 0};
    MEASURE("read", read(5, byte, 1));
    MEASURE("write", write(6, byte, 1));
    MEASURE("send", send(7, byte, 1, 0));
    MEASURE("recv", recv(7, byte, 1, 0));
    MEASURE("epoll_wait", epoll_wait(8, &event, 1, 0));
    MEASURE("poll", poll(&fd, 1, 0));
    MEASURE("close", close(9));
    return 0;
}
