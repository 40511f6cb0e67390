//! The same commands as an ordinary user.

use testkit::{UID, require, run_as_user};

#[test]
fn no_command_of_an_ordinary_user_gets_out_of_its_cage() {
    if ["crun", "root", "newuidmap", "busybox", "wasm32-wasip2"].into_iter().all(require) {
        run_as_user(&format!("{UID}:700000:65536\n"), &["steps::"]);
    }
}
