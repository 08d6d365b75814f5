/* An extension of the old kind: global state that only the GIL protects. */
#include <Python.h>
#include <sys/mman.h>

static char *volatile current;

static PyObject *touch(PyObject *module, PyObject *unused)
{
    char *mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    current = mine;
    for (int i = 0; i < 100; i++)
        current[i] = 'x';              /* another thread's by now, perhaps */
    munmap(mine, 4096);
    Py_RETURN_NONE;
}

static int deeper(volatile char *above)
{
    volatile char frame[256];
    frame[0] = above[0];
    return deeper(frame) + frame[0];
}

static PyObject *recurse(PyObject *module, PyObject *unused) { return PyLong_FromLong(deeper("")); }

static PyMethodDef methods[] = {
    {"recurse", recurse, METH_NOARGS, "Use up the stack."},
    {"touch", touch, METH_NOARGS, "Use the global buffer."}, {NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "assumes_gil", NULL, -1, methods};

PyMODINIT_FUNC PyInit_assumes_gil(void) { return PyModule_Create(&definition); }
