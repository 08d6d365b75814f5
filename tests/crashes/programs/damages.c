/* An extension that destroys what a crash handler could stand on, and then crashes. */
#include <Python.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile int *volatile nowhere;

#ifdef __x86_64__
static uintptr_t *control_block(void) { uintptr_t *block; __asm__("mov %%fs:0, %0" : "=r"(block)); return block; }
#else
static uintptr_t *control_block(void) { return __builtin_thread_pointer(); }
#endif

/* As the heap does that gives away a thread's control block: after a double decref, ob_tid, its address, is taken for a free block. */
static PyObject *control(PyObject *module, PyObject *word)
{
    control_block()[PyLong_AsLong(word)] = 0x100000000;
    *nowhere = 1;
    Py_RETURN_NONE;
}

/* Makes the code of a library inaccessible. */
static PyObject *library(PyObject *module, PyObject *name)
{
    const char *searched = PyUnicode_AsUTF8(name);
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long start[64], end[64];
    int count = 0;
    while (fgets(line, sizeof line, maps))
        if (strstr(line, searched) && sscanf(line, "%lx-%lx", &start[count], &end[count]) == 2)
            count++;
    fclose(maps);
    while (count--)
        mprotect((void *)start[count], end[count] - start[count], PROT_NONE);
    *nowhere = 1;
    Py_RETURN_NONE;
}

/* Dies at its first instruction. */
static PyObject *at_once(PyObject *module, PyObject *unused)
{
    *(volatile int *)NULL = 1;
    Py_RETURN_NONE;
}

/* Until a signal has been handled, as the one is that stops a thread while another one is dying; says so. */
static PyObject *until_signal(PyObject *module, PyObject *unused)
{
    Py_BEGIN_ALLOW_THREADS
    pause();
    (void)!write(2, "went on\n", 8);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"control", control, METH_O, "Overwrite a word of the thread's control block."},
    {"at_once", at_once, METH_NOARGS, "Die at the first instruction."},
    {"library", library, METH_O, "Take a library away."},
    {"sleep", until_signal, METH_NOARGS, "Sleep until a signal has been handled."}, {NULL},
};
static PyModuleDef_Slot slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "damages", NULL, 0, methods, slots};
PyMODINIT_FUNC PyInit_damages(void) { return PyModuleDef_Init(&definition); }
