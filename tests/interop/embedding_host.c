/* A host with threads of its own that embeds Python: HOST PYTHON SCRIPT, whose function request() four threads call. */

#define _GNU_SOURCE
#include <Python.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, REQUESTS = 200 };

static pthread_barrier_t barrier;
static PyObject *request;
static int failures;

static void *serve(void *number) {
    char name[16];
    snprintf(name, sizeof name, "host-%d", (int)(intptr_t)number);
    pthread_setname_np(pthread_self(), name);
    // A thread state of the thread's own, as hosts have it that call Python often.
    PyGILState_STATE outer = PyGILState_Ensure();
    PyThreadState *own = PyEval_SaveThread();
    pthread_barrier_wait(&barrier);
    for (int turn = 0; turn < REQUESTS; turn++) {
        PyGILState_STATE state = PyGILState_Ensure();
        PyObject *result = PyObject_CallNoArgs(request);
        if (result == NULL) {
            PyErr_Print();
            __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
        }
        Py_XDECREF(result);
        PyGILState_Release(state);
    }
    // A thread that leaves Python hands over what it has done: none does before all are done.
    pthread_barrier_wait(&barrier);
    PyEval_RestoreThread(own);
    PyGILState_Release(outer);
    return NULL;
}

int main(int count, char **words) {
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    if (count != 3 || PyStatus_Exception(PyConfig_SetBytesString(&config, &config.executable, words[1]))) return 2;
    if (PyStatus_Exception(Py_InitializeFromConfig(&config))) return 3;
    PyConfig_Clear(&config);
    FILE *script = fopen(words[2], "r");
    if (script == NULL || PyRun_SimpleFileEx(script, words[2], 1)) return 4;
    request = PyObject_GetAttrString(PyImport_AddModule("__main__"), "request");
    if (request == NULL) return 5;
    PyThreadState *main_state = PyEval_SaveThread();
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (intptr_t at = 0; at < THREADS; at++) pthread_create(&threads[at], NULL, serve, (void *)at);
    for (int at = 0; at < THREADS; at++) pthread_join(threads[at], NULL);
    PyEval_RestoreThread(main_state);
    Py_DECREF(request);
    return Py_FinalizeEx() < 0 ? 6 : failures ? 7 : 0;
}
