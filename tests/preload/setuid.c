// Linked against the library, which the loader therefore loads even for a setuid program.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (close(open("/dev/null", O_RDONLY)) != 0) return 1;
    printf("secure %lu\n", getauxval(AT_SECURE));
    fflush(stdout);
    abort(); // what is watched leaves a recording then
}
