//! Where the linker finds frida-gum: the devkit that `FTSAN_FRIDA_DEVKIT` names.
#![allow(clippy::print_stdout, reason = "how a build script talks to cargo")]

fn main() {
    println!("cargo:rerun-if-env-changed=FTSAN_FRIDA_DEVKIT");
    if let Ok(devkit) = std::env::var("FTSAN_FRIDA_DEVKIT") {
        println!("cargo:rustc-link-search=native={devkit}");
        println!("cargo:rerun-if-changed={devkit}");
    }
}
