//! Bad input through the real binary: a message that names the thing, the documented exit code, a store that stays whole.
