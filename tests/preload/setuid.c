// Linked against the library, which the loader therefore loads even for a setuid program.
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

int main(void) {
    if (close(open("/dev/null", O_RDONLY)) != 0) return 1;
    printf("secure %lu\n", getauxval(AT_SECURE));
    return 0;
}
