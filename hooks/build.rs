//! Our own references to what we export are to our own functions, also where we are not preloaded and libc's come first: the table of
//! hooks has their addresses.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic-functions");
    println!("cargo:rerun-if-changed=build.rs");
}
