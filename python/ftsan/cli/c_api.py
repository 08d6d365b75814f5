"""Functions of Python's C interface that are not safe by themselves where threads run at once.

Made by tools/c-api-table from Doc/data/threadsafety.dat and Doc/data/refcounts.dat of CPython 3.15.0rc2.
"""

#: The caller has to keep threads apart (levels compatible and incompatible).
UNSAFE = frozenset(
    """
    PyByteArray_AS_STRING PyByteArray_AsString PyBytes_AS_STRING PyBytes_AsString PyBytes_AsStringAndSize
    PyCapsule_Import PyDict_AddWatcher PyDict_ClearWatcher PyDict_GetItem PyDict_GetItemString PyDict_GetItemWithError
    PyDict_Next PyDict_SetDefault PyList_GET_ITEM PyList_GetItem PyList_SET_ITEM PyStructSequence_GET_ITEM
    PyStructSequence_GetItem PyStructSequence_SET_ITEM PyStructSequence_SetItem PyTuple_GET_ITEM PyTuple_GetItem
    PyTuple_SET_ITEM PyTuple_SetItem _PyTuple_Resize
    """.split()  # noqa: SIM905
)

#: They return a borrowed reference, which another thread may make invalid.
BORROWED = frozenset(
    """
    PyCell_GET PyDict_GetItem PyDict_GetItemString PyDict_GetItemWithError PyDict_SetDefault PyEval_GetBuiltins
    PyEval_GetGlobals PyFunction_GET_ANNOTATIONS PyFunction_GET_CLOSURE PyFunction_GET_CODE PyFunction_GET_DEFAULTS
    PyFunction_GET_GLOBALS PyFunction_GET_KW_DEFAULTS PyFunction_GET_MODULE PyFunction_GetAnnotations
    PyFunction_GetClosure PyFunction_GetCode PyFunction_GetDefaults PyFunction_GetGlobals PyFunction_GetKwDefaults
    PyFunction_GetModule PyImport_AddModule PyImport_AddModuleObject PyImport_GetModuleDict PyInstanceMethod_Function
    PyInstanceMethod_GET_FUNCTION PyInterpreterState_GetDict PyList_GET_ITEM PyList_GetItem PyMethod_Function
    PyMethod_GET_FUNCTION PyMethod_GET_SELF PyMethod_Self PyModule_GetDef PyModule_GetDict PySequence_Fast_GET_ITEM
    PyState_FindModule PyStructSequence_GET_ITEM PyStructSequence_GetItem PySys_GetObject PySys_GetXOptions
    PyTuple_GET_ITEM PyTuple_GetItem PyType_GetModule PyType_GetModuleByDef PyType_GetModuleByToken_DuringGC
    PyType_GetModule_DuringGC
    """.split()  # noqa: SIM905
)
