// Prints what every hooked call returns, and errno, which a call that succeeds must leave alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
extern ssize_t __read_chk(int, void *, size_t, size_t), __recv_chk(int, void *, size_t, size_t, int);
extern ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
extern int __open_2(const char *, int), __openat_2(int, const char *, int);
extern int __poll_chk(struct pollfd *, nfds_t, int, size_t);

#define SAY(call) \
    do { \
        errno = 4242; \
        long result = (long)(call); \
        int error = errno; \
        printf("%s = %ld, errno %d\n", #call, result, error); \
        fflush(stdout); \
    } while (0)

static void *nothing(void *argument) { return argument; }
static int child(void *argument) { (void)argument; return 5; }

static volatile int handled;

static void handles(int signal) { handled++; }

int main(void) {
    char buffer[64] = "0123456789";
    struct iovec parts[2] = {{buffer, 4}, {buffer + 4, 4}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct mmsghdr messages[1] = {{.msg_hdr = {.msg_iov = parts, .msg_iovlen = 1}}};
    struct epoll_event event = {.events = EPOLLIN};
    struct timespec none = {0, 0};
    struct timeval none_either = {0, 0};
    int pair[2], pipes[2], epoll, status;
    signal(SIGPIPE, SIG_IGN);

    SAY(epoll_create(0));
    SAY(epoll = epoll_create(1));
    SAY(close(epoll));
    SAY(epoll_create1(77));
    SAY(epoll = epoll_create1(EPOLL_CLOEXEC));
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SAY(socketpair(AF_UNIX, 99, 0, pipes));
    SAY(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
    SAY(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
    SAY(epoll_ctl(epoll, EPOLL_CTL_MOD, pair[1], &event));
    SAY(epoll_ctl(epoll, 99, pair[1], &event));
    SAY(epoll_ctl(999, EPOLL_CTL_ADD, pair[1], &event));
    SAY(epoll_ctl(epoll, EPOLL_CTL_ADD, 999, &event));
    SAY(epoll_wait(epoll, &event, 1, 0));
    SAY(epoll_wait(pair[0], &event, 1, 0));
    SAY(epoll_wait(999, &event, 1, 0));
    SAY(epoll_pwait(epoll, &event, 1, 0, NULL));
    SAY(epoll_pwait2(epoll, &event, 1, &none, NULL));
    SAY(epoll_ctl(epoll, EPOLL_CTL_DEL, pair[0], NULL));
    SAY(epoll_ctl(epoll, EPOLL_CTL_DEL, pair[0], NULL));

    // Addresses that the kernel refuses, or does not look at.
    SAY(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
    SAY(epoll_ctl(epoll, EPOLL_CTL_DEL, pair[0], (void *)1));
    SAY(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], (void *)1));
    SAY(epoll_wait(epoll, (void *)1, 1, 0));
    SAY(sendmsg(pair[0], (void *)1, 0));
    SAY(sendmsg(pair[0], NULL, 0));
    SAY(sendmmsg(pair[0], (void *)1, 1, 0));
    SAY(recvmsg(pair[0], (void *)1, MSG_DONTWAIT));
    SAY(writev(pair[0], (void *)1, 2));
    SAY(writev(pair[0], parts, 2000000000));
    SAY(readv(pair[0], (void *)1, 2));
    SAY(write(pair[0], (void *)1, 10));
    SAY(read(pair[0], (void *)1, 0));
    SAY(socketpair(AF_UNIX, SOCK_STREAM, 0, (void *)1));
    SAY(pipe((void *)1));
    SAY(pipe2((void *)1, 0));
    SAY(open((void *)1, O_RDONLY));
    SAY(select(3, (void *)1, NULL, NULL, &none_either));
    SAY(poll((void *)1, 1000000, 0));
    SAY(connect(pair[0], (void *)1, 16));
    SAY(execve((void *)1, NULL, NULL));

    struct pollfd polled[2] = {{.fd = pair[0], .events = POLLIN | POLLOUT}, {.fd = 999, .events = POLLIN}};
    SAY(poll(polled, 2, 0));
    SAY(poll((void *)1, 2, 0));
    SAY(poll(NULL, 0, 0));
    SAY(__poll_chk(polled, 2, 0, sizeof polled));
    SAY(ppoll(polled, 2, &none, NULL));
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    SAY(select(pair[0] + 1, NULL, &set, NULL, &none_either));
    SAY(select(-1, NULL, NULL, NULL, &none_either));
    SAY(pselect(pair[0] + 1, NULL, &set, NULL, &none, NULL));
    FD_SET(900, &set);
    SAY(select(901, &set, NULL, NULL, &none_either));

    SAY(send(pair[0], buffer, 10, 0));
    SAY(sendto(pair[0], buffer, 10, 0, NULL, 0));
    SAY(sendmsg(pair[0], &message, 0));
    SAY(sendmmsg(pair[0], messages, 1, 0));
    SAY(write(pair[0], buffer, 10));
    SAY(writev(pair[0], parts, 2));
    SAY(writev(pair[0], parts, -1));
    SAY(recv(pair[1], buffer, 4, 0));
    SAY(__recv_chk(pair[1], buffer, 4, 64, 0));
    SAY(recvfrom(pair[1], buffer, 4, 0, NULL, NULL));
    SAY(__recvfrom_chk(pair[1], buffer, 4, 64, 0, NULL, NULL));
    SAY(recvmsg(pair[1], &message, 0));
    SAY(recvmmsg(pair[1], messages, 1, MSG_DONTWAIT, NULL));
    SAY(read(pair[1], buffer, 4));
    SAY(__read_chk(pair[1], buffer, 4, 64));
    SAY(readv(pair[1], parts, 2));
    SAY(recv(pair[0], buffer, 4, MSG_DONTWAIT));
    SAY(shutdown(pair[0], SHUT_WR));
    SAY(shutdown(pair[0], 99));
    SAY(send(pair[0], buffer, 10, MSG_NOSIGNAL));
    SAY(send(999, buffer, 10, 0));
    SAY(recv(999, buffer, 10, 0));
    SAY(read(-1, buffer, 10));
    SAY(write(-5, buffer, 10));
    SAY(read(70000, buffer, 10));

    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0ftsan-results-of-calls"};
    int server, client, accepted;
    SAY(socket(99, 99, 99));
    SAY(server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    SAY(client = socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(connect(client, (void *)&address, sizeof address));
    SAY(bind(server, (void *)&address, sizeof address));
    SAY(listen(server, 5));
    SAY(connect(client, (void *)&address, sizeof address));
    SAY(accepted = accept(server, NULL, NULL));
    SAY(close(accepted));
    SAY(close(client));
    SAY(client = socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(connect(client, (void *)&address, sizeof address));
    SAY(accepted = accept4(server, NULL, NULL, SOCK_NONBLOCK));
    SAY(accept4(accepted, NULL, NULL, 0));
    SAY(accept(999, NULL, NULL));
    SAY(shutdown(999, SHUT_WR));

    int file, other, null;
    SAY(open("/nonexistent", O_RDONLY));
    SAY(file = open("/etc/passwd", O_RDONLY));
    SAY(other = open64("/etc/passwd", O_RDONLY));
    SAY(null = openat(AT_FDCWD, "/dev/null", O_RDWR));
    SAY(openat64(999, "passwd", O_RDONLY));
    SAY(pipe(pipes));
    SAY(close(pipes[0]));
    SAY(close(pipes[1]));
    SAY(pipe2(pipes, O_NONBLOCK));
    SAY(pipe2(pipes, -1));

    SAY(sendfile(pipes[1], file, NULL, 16));
    SAY(sendfile64(pipes[1], 999, NULL, 16));
    SAY(splice(file, NULL, pipes[1], NULL, 16, 0));
    SAY(splice(file, NULL, null, NULL, 16, 0));
    SAY(creat("/nonexistent/at/all", 0600));
    SAY(memfd_create("name", 0));
    SAY(memfd_create("name", 9999));
    SAY(inotify_init());
    SAY(inotify_init1(9999));
    sigset_t mask;
    sigemptyset(&mask);
    SAY(signalfd(-1, &mask, 0));
    SAY(signalfd(file, &mask, 0));
    SAY(__open_2("/etc/passwd", O_RDONLY));
    SAY(__openat_2(AT_FDCWD, "/nonexistent", O_RDONLY));
    SAY(eventfd(1, EFD_NONBLOCK));
    SAY(eventfd(1, -1));
    SAY(timerfd_create(CLOCK_MONOTONIC, 0));
    SAY(timerfd_create(-99, 0));
    SAY(dup(file));
    SAY(dup(999));
    SAY(dup2(file, other));
    SAY(dup2(file, file));
    SAY(dup2(999, other));
    SAY(dup2(file, -1));
    SAY(dup3(file, other, O_CLOEXEC));
    SAY(dup3(file, file, 0));
    SAY(fcntl(file, F_DUPFD, 100));
    SAY(fcntl64(file, F_DUPFD_CLOEXEC, 200));
    SAY(fcntl(file, F_GETFD));
    SAY(fcntl(file, F_SETFD, FD_CLOEXEC));
    SAY(fcntl(file, F_GETFL));
    SAY(fcntl(999, F_GETFL));
    SAY(fcntl(file, 9999, 1));
    SAY(close(other));
    SAY(close(other));
    SAY(close(-1));
    SAY(close(70000));
    SAY(close_range(100, 250, 0));
    SAY(close_range(100, 250, 4 /* CLOEXEC */));
    SAY(close_range(250, 100, 0));
    SAY(fcntl(100, F_GETFD));

    pid_t pid;
    char *words[] = {"true", NULL};
    SAY((pid = fork()) == 0 ? (_exit(3), 0) : pid > 0);
    SAY(waitpid(pid, &status, 0) == pid);
    SAY(status);
    SAY((pid = vfork()) == 0 ? (_exit(4), 0) : pid > 0);
    SAY(waitpid(pid, &status, 0) == pid);
    SAY(status);
    static char stack[65536];
    SAY((pid = clone(child, stack + sizeof stack, SIGCHLD, NULL)) > 0);
    SAY(waitpid(pid, &status, 0) == pid);
    SAY(status);
    SAY(clone(NULL, NULL, 0, NULL));
    SAY(posix_spawn(&pid, "/bin/true", NULL, NULL, words, environ));
    SAY(waitpid(pid, &status, 0) == pid);
    SAY(status);
    SAY(posix_spawn(&pid, "/nonexistent", NULL, NULL, words, environ));
    SAY(posix_spawnp(&pid, "true", NULL, NULL, words, environ));
    SAY(waitpid(pid, &status, 0) == pid);
    SAY(status);
    SAY(execve("/nonexistent", words, environ));
    SAY(execv("/nonexistent", words));
    SAY(execvp("/nonexistent", words));
    SAY(execvpe("/nonexistent", words, environ));
    for (int at = 0; at < 3; at++) { // the first two are signals that we handle, too
        int number = (int[]){SIGSEGV, SIGABRT, SIGUSR1}[at];
        struct sigaction mine = {.sa_handler = handles, .sa_flags = SA_NODEFER}, found;
        SAY(sigaction(number, NULL, &found));
        SAY(found.sa_handler == SIG_DFL);
        SAY(sigaction(number, &mine, NULL));
        SAY(signal(number, SIG_IGN) == handles);
        SAY(raise(number));
        SAY(sigaction(number, &mine, &found));
        SAY(found.sa_handler == SIG_IGN);
        SAY(sigaction(number, NULL, &found));
        SAY(found.sa_handler == handles && found.sa_flags & SA_NODEFER);
        SAY(raise(number));
        SAY(handled);
        SAY(raise(number));
        SAY(handled);
        SAY(signal(number, SIG_DFL) == handles);
    }
    SAY(sigaction(1000, NULL, NULL));
    SAY(signal(SIGKILL, SIG_IGN) == SIG_ERR);
    pthread_t thread;
    void *returned;
    SAY(pthread_create(&thread, NULL, nothing, buffer));
    SAY(pthread_join(thread, &returned));
    SAY(returned == buffer);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    SAY(pthread_attr_setstacksize(&attributes, 1L << 60));
    SAY(pthread_create(&thread, &attributes, nothing, buffer));
    SAY(dlopen("/nonexistent.so", RTLD_NOW) == NULL);
    SAY(dlerror() != NULL);
    SAY(dlopen("libm.so.6", RTLD_NOW) != NULL);
    SAY(dlopen(NULL, RTLD_NOW) != NULL);
    return 0;
}
