//! The same tests as an ordinary user, with and without a range of user numbers.

use testkit::{UID, require, run_as_user};

#[test]
fn everything_works_for_an_ordinary_user_with_a_range_of_users() {
    if require("crun") && require("root") && require("newuidmap") {
        // The longest test proves nothing more as an ordinary user.
        // Components of other languages are built where the user may not write.
        run_as_user(&format!("{UID}:700000:65536\n"), &["--skip", "130_steps", "--skip", "polyglot::"]);
    }
}

#[test]
fn everything_works_for_an_ordinary_user_without_a_range_but_other_owners() {
    if require("crun") && require("root") {
        run_as_user("", &["guests::", "machine::"]);
    }
}
