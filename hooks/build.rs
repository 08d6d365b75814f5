//! Our own references to what we export are to our own functions, also where we are not preloaded and libc's come first: the table of
//! hooks has their addresses.  Not `-Bsymbolic-functions`, which zig's linker does not take; no data of ours is anybody's else.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic");
    println!("cargo:rerun-if-changed=build.rs");
}
