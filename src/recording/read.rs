//! A recording back from its bytes, whatever they are.
