//! Tells the compiler which interpreter this is built for: `cfg(Py_GIL_DISABLED)` and others, as PyO3 knows them.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
