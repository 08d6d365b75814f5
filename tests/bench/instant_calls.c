/* Preloaded behind the hooks: system calls that return at once, so that what a hook costs is not lost in what the kernel does. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t read(int fd, void *into, size_t len) { return 1; }
ssize_t write(int fd, const void *data, size_t len) { return 1; }
ssize_t send(int fd, const void *data, size_t len, int flags) { return 1; }
ssize_t recv(int fd, void *into, size_t len, int flags) { return 1; }
int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout) { return 0; }
int poll(struct pollfd *fds, nfds_t count, int timeout) { return 1; }
int close(int fd) { return 0; }
