// A library whose constructor makes hooked calls, before or after ours.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *nothing(void *argument) { return argument; }

__attribute__((constructor)) static void early(void) {
    int pair[2];
    char byte = 'x';
    pthread_t thread;
    int file = open("/dev/null", O_RDWR);
    if (file < 0 || close(file) != 0 || close(file) == 0) abort();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || send(pair[0], &byte, 1, 0) != 1 || recv(pair[1], &byte, 1, 0) != 1) abort();
    if (close(pair[0]) != 0 || close(pair[1]) != 0) abort();
    if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) abort();
    write(1, "early\n", 6);
}
