//! System calls that must be refused, made by Perl with the tools of this machine.

/// A name, the number of a call, and its arguments.
pub(super) const CALLS: &[(&str, i64, &str)] = &[
    ("bpf", libc::SYS_bpf, "5, 0, 0"),
    ("bpf, a map", libc::SYS_bpf, "0, $room, 72"),
    ("perf_event_open", libc::SYS_perf_event_open, "$room, 0, -1, -1, 0"),
    ("userfaultfd", libc::SYS_userfaultfd, "0"),
    ("userfaultfd, of user mode", libc::SYS_userfaultfd, "1"),
    ("io_uring_setup", libc::SYS_io_uring_setup, "8, $room"),
    ("io_uring_enter", libc::SYS_io_uring_enter, "0, 1, 0, 0, 0, 0"),
    ("io_uring_register", libc::SYS_io_uring_register, "-1, 0, 0, 0"),
    ("keyctl, the session's keyring", libc::SYS_keyctl, "0, -3, 0, 0, 0"),
    ("keyctl, another session", libc::SYS_keyctl, "1, 0, 0, 0, 0"),
    ("add_key", libc::SYS_add_key, "$name, $name, $name, 1, -3"),
    ("request_key", libc::SYS_request_key, "$name, $name, 0, -3"),
    ("mount", libc::SYS_mount, "$name, $name, $name, 0, 0"),
    ("mount, bind", libc::SYS_mount, "$root, $root, 0, 4096, 0"),
    ("umount2", libc::SYS_umount2, "$root, 2"),
    ("move_mount", libc::SYS_move_mount, "-100, $root, -100, $root, 0"),
    ("open_tree", libc::SYS_open_tree, "-100, $root, 1"),
    ("fsopen", libc::SYS_fsopen, "$name, 0"),
    ("fsconfig", libc::SYS_fsconfig, "-1, 0, 0, 0, 0"),
    ("fsmount", libc::SYS_fsmount, "-1, 0, 0"),
    ("fspick", libc::SYS_fspick, "-100, $root, 0"),
    ("mount_setattr", libc::SYS_mount_setattr, "-100, $root, 0, $room, 32"),
    ("pivot_root", libc::SYS_pivot_root, "$root, $root"),
    ("setns", libc::SYS_setns, "0, 0"),
    ("unshare, a namespace of users", libc::SYS_unshare, "0x10000000"),
    ("unshare, a namespace of mounts", libc::SYS_unshare, "0x20000"),
    ("unshare, a namespace of the network", libc::SYS_unshare, "0x40000000"),
    ("unshare, a namespace of processes", libc::SYS_unshare, "0x20000000"),
    ("unshare, a namespace of control groups", libc::SYS_unshare, "0x2000000"),
    ("unshare, a namespace of time", libc::SYS_unshare, "0x80"),
    ("clone, a namespace of users", libc::SYS_clone, "0x10000000, 0, 0, 0, 0"),
    ("clone, a namespace of mounts", libc::SYS_clone, "0x20000, 0, 0, 0, 0"),
    ("clone3", libc::SYS_clone3, "$room, 88"),
    ("init_module", libc::SYS_init_module, "$room, 8, $name"),
    ("finit_module", libc::SYS_finit_module, "0, $name, 0"),
    ("delete_module", libc::SYS_delete_module, "$name, 0"),
    ("kexec_load", libc::SYS_kexec_load, "0, 0, 0, 0"),
    ("reboot, for a key", libc::SYS_reboot, "0xfee1dead, 672274793, 0x89abcdef, 0"),
    ("swapon", libc::SYS_swapon, "$root, 0"),
    ("swapoff", libc::SYS_swapoff, "$root"),
    ("acct", libc::SYS_acct, "0"),
    ("quotactl", libc::SYS_quotactl, "0x80000700, $root, 0, 0"),
    ("settimeofday", libc::SYS_settimeofday, "0, 0"),
    ("clock_settime", libc::SYS_clock_settime, "0, 0"),
    ("syslog", libc::SYS_syslog, "3, $room, 8"),
    ("open_by_handle_at", libc::SYS_open_by_handle_at, "-100, $room, 0"),
    ("vhangup", libc::SYS_vhangup, ""),
    ("ptrace, process 1", libc::SYS_ptrace, "16, 1, 0, 0"),
    ("ptrace, seize process 1", libc::SYS_ptrace, "0x4206, 1, 0, 0"),
    ("kcmp", libc::SYS_kcmp, "1, 1, 0, 0, 0"),
    ("fanotify_init", libc::SYS_fanotify_init, "0, 0"),
    ("personality, no randomness", libc::SYS_personality, "0x40000"),
    ("set_mempolicy", libc::SYS_set_mempolicy, "0, 0, 0"),
    ("mbind", libc::SYS_mbind, "0, 0, 0, 0, 0, 0"),
    ("move_pages", libc::SYS_move_pages, "0, 0, 0, 0, 0, 0"),
    ("sethostname", libc::SYS_sethostname, "$name, 1"),
    ("setdomainname", libc::SYS_setdomainname, "$name, 1"),
    ("socket, AF_ALG", libc::SYS_socket, "38, 5, 0"),
    ("socket, AF_VSOCK", libc::SYS_socket, "40, 1, 0"),
    ("setpriority, above others", libc::SYS_setpriority, "0, 0, -20"),
    ("capset, all capabilities", libc::SYS_capset, "$capset, $all"),
];

/// Returns a script that prints `held` if a call is refused with EPERM or EACCES, or is not there.
pub(super) fn script(number: i64, args: &str) -> String {
    let args = if args.is_empty() { String::new() } else { format!(", {args}") };
    let prepared =
        r#"$room = "\0" x 4096; $name = "user"; $root = "/"; $capset = pack("LL", 0x20080522, 0); $all = "\xff" x 24;"#;
    format!(
        "perl -e '{prepared} $! = 0; $got = syscall({number}{args}); \
         print(($! == 1 || $! == 13 || $! == 38) ? \"held\" : \"WRONG $got \" . ($! + 0));'"
    )
}
