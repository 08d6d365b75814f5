//! One pointer per thread, one load away.
//!
//! On x86-64 Linux an initial-exec variable: `thread_local!` in a shared library calls `__tls_get_addr`, 3 ns where a check costs 10.
//! Eight bytes of static TLS are always left for a library that is loaded late.  A macro, because each library has its own.

/// Defines a module with `get` and `set` of a `*const $type`; the variable is called `$symbol`.
#[macro_export]
macro_rules! thread_pointer {
    ($module:ident: $type:ty, $symbol:literal) => {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        mod $module {
            use super::*;
            use std::arch::{asm, global_asm};

            global_asm!(
                ".pushsection .tbss,\"awT\",@nobits",
                ".balign 8",
                concat!(".hidden ", $symbol),
                concat!(".globl ", $symbol),
                concat!(".type ", $symbol, ", @object"),
                concat!(".size ", $symbol, ", 8"),
                concat!($symbol, ": .zero 8"),
                ".popsection",
            );

            #[inline(always)]
            pub(super) fn get() -> *const $type {
                let pointer;
                // SAFETY: reads the variable defined above.
                unsafe {
                    asm!(
                        concat!("mov {0}, qword ptr [rip + ", $symbol, "@GOTTPOFF]"),
                        "mov {0}, qword ptr fs:[{0}]",
                        out(reg) pointer,
                        options(readonly, nostack, preserves_flags),
                    );
                }
                pointer
            }

            pub(super) fn set(pointer: *const $type) {
                // SAFETY: writes the variable defined above.
                unsafe {
                    asm!(
                        concat!("mov {0}, qword ptr [rip + ", $symbol, "@GOTTPOFF]"),
                        "mov qword ptr fs:[{0}], {1}",
                        out(reg) _,
                        in(reg) pointer,
                        options(nostack, preserves_flags),
                    );
                }
            }
        }

        #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
        mod $module {
            use super::*;
            use std::cell::Cell;

            thread_local! {
                static POINTER: Cell<*const $type> = const { Cell::new(std::ptr::null()) };
            }

            #[inline(always)]
            pub(super) fn get() -> *const $type {
                POINTER.get()
            }

            pub(super) fn set(pointer: *const $type) {
                POINTER.set(pointer);
            }
        }
    };
}
