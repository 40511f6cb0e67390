//! Which devices the processes of a zone may use. The rules are Docker's, and the kernel holds them.
//!
//! Whoever is root in a container can make device files. The mounts of a container refuse to open them;
//! these rules refuse it too, whatever the mounts do. They are those of a control group: a list in
//! version 1, and a program in version 2.
//!
//! Source: Docker Engine, `oci/defaults.go`, with runc, `libcontainer/specconv/spec_linux.go`, "AllowedDevices";
//! Linux, `admin-guide/cgroup-v1/devices.rst`, and `include/uapi/linux/bpf.h`.

use std::os::fd::OwnedFd;

use super::{DEFAULT_PIDS, make, write};
use crate::fault::{Context as _, Fault};
use crate::sys;

/// The devices that may be opened: major numbers, and minor ones where not all of them may be. All are
/// character devices: null, zero, full, random, urandom, tty, console, ptmx and the terminals of containers.
const USABLE: [(u32, Option<u32>); 9] = [
    (1, Some(3)),
    (1, Some(5)),
    (1, Some(7)),
    (1, Some(8)),
    (1, Some(9)),
    (5, Some(0)),
    (5, Some(1)),
    (5, Some(2)),
    (136, None),
];

/// Makes the group of a zone in the hierarchy `devices` of version 1, and moves this process into it.
pub(super) fn enter_version_1(parent: &OwnedFd, name: &str) -> Result<(), Fault> {
    let group = make(parent, name)?;
    let set = |file: &str, line: &str| write(&group, file, line).context(|| format!("cannot set the rule `{line}`"));
    set("devices.deny", "a")?;
    // Files of all devices can be made, as an archive of a root may have some.
    set("devices.allow", "c *:* m")?;
    set("devices.allow", "b *:* m")?;
    for (major, minor) in USABLE {
        let minor = minor.map_or("*".to_owned(), |minor| minor.to_string());
        set("devices.allow", &format!("c {major}:{minor} rwm"))?;
    }
    write(&group, "tasks", "0").context(|| "cannot join the control group for devices".to_owned())
}

/// Makes the group of a zone in version 2 with a program that decides, and moves this process into it.
///
/// The process is in a group below, for a group with limited children may have no processes. There all steps that ask
/// for no limits are, and have a limit on processes together, where the kernel can have one.
pub(super) fn enter_version_2(parent: &OwnedFd, name: &str) -> Result<(), Fault> {
    let group = make(parent, name)?;
    sys::attach_device_program(&group, &program()).context(|| "cannot load the rules for devices".to_owned())?;
    let own = make(&group, "own")?;
    let delegated = [parent, &group].into_iter().try_for_each(|group| write(group, "cgroup.subtree_control", "+pids"));
    if delegated.is_ok() {
        write(&own, "pids.max", &DEFAULT_PIDS.to_string()).context(|| "cannot limit processes".to_owned())?;
    }
    write(&own, "cgroup.procs", "0").context(|| "cannot join the control group for devices".to_owned())
}

/// Operations of the kernel's programs. Source: Linux, `include/uapi/linux/bpf.h` and `bpf_common.h`.
mod op {
    pub(super) const LOAD_WORD: u8 = 0x61;
    pub(super) const SET: u8 = 0xb7;
    pub(super) const AND: u8 = 0x57;
    pub(super) const SHIFT_RIGHT: u8 = 0x77;
    pub(super) const JUMP_IF_EQUAL: u8 = 0x15;
    pub(super) const JUMP_UNLESS_EQUAL: u8 = 0x55;
    pub(super) const EXIT: u8 = 0x95;
}

/// The registers: the answer, the request, and what is read of it.
const ANSWER: u8 = 0;
const REQUEST: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

/// Only a file of the device is made.
const MAKE: i32 = 1;
const CHARACTER_DEVICE: i32 = 2;

/// Returns the program. It answers 1 where an access is allowed, and 0 where it is not.
///
/// The request is three numbers: kind and access in the lower and upper half of the first, major, and minor.
fn program() -> Vec<u64> {
    let answer = |allowed: i32| [step(op::SET, ANSWER, 0, 0, allowed), step(op::EXIT, 0, 0, 0, 0)];
    let mut program = vec![
        step(op::LOAD_WORD, KIND, REQUEST, 0, 0),
        step(op::LOAD_WORD, ACCESS, REQUEST, 0, 0),
        step(op::SHIFT_RIGHT, ACCESS, 0, 0, 16),
        step(op::AND, KIND, 0, 0, 0xffff),
        step(op::LOAD_WORD, MAJOR, REQUEST, 4, 0),
        step(op::LOAD_WORD, MINOR, REQUEST, 8, 0),
        step(op::JUMP_UNLESS_EQUAL, ACCESS, 0, 2, MAKE),
    ];
    program.extend(answer(1));
    program.push(step(op::JUMP_IF_EQUAL, KIND, 0, 2, CHARACTER_DEVICE));
    program.extend(answer(0));
    for (major, minor) in USABLE {
        let n_behind = if minor.is_some() { 3 } else { 2 };
        program.push(step(op::JUMP_UNLESS_EQUAL, MAJOR, 0, n_behind, major as i32));
        program.extend(minor.map(|minor| step(op::JUMP_UNLESS_EQUAL, MINOR, 0, 2, minor as i32)));
        program.extend(answer(1));
    }
    program.extend(answer(0));
    program
}

/// Returns `struct bpf_insn`: operation, target and source register, offset, number.
fn step(operation: u8, target: u8, source: u8, offset: i16, number: i32) -> u64 {
    u64::from_ne_bytes({
        let [offset_low, offset_high] = offset.to_ne_bytes();
        let [a, b, c, d] = number.to_ne_bytes();
        // The registers are bit fields, the target in the lower half on machines of little endian.
        let registers = if cfg!(target_endian = "little") { source << 4 | target } else { target << 4 | source };
        [operation, registers, offset_low, offset_high, a, b, c, d]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel does, on a request of three numbers.
    fn run(request: [u32; 3]) -> u64 {
        let program = program();
        let mut registers = [0_u64; 10];
        let mut at = 0_usize;
        loop {
            let bytes = program[at].to_ne_bytes();
            let (target, source) = (usize::from(bytes[1] & 15), usize::from(bytes[1] >> 4));
            let offset = i16::from_ne_bytes([bytes[2], bytes[3]]);
            let number = i32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            let is_equal = registers[target] == number as u64;
            at += 1;
            match bytes[0] {
                op::LOAD_WORD => {
                    assert_eq!(source, usize::from(REQUEST));
                    registers[target] = request[offset as usize / 4].into();
                }
                op::SET => registers[target] = number as u64,
                op::AND => registers[target] &= number as u64,
                op::SHIFT_RIGHT => registers[target] >>= number,
                op::JUMP_IF_EQUAL if is_equal => at += offset as usize,
                op::JUMP_UNLESS_EQUAL if !is_equal => at += offset as usize,
                op::JUMP_IF_EQUAL | op::JUMP_UNLESS_EQUAL => {}
                op::EXIT => return registers[usize::from(ANSWER)],
                other => panic!("{other:#x} is no operation"),
            }
        }
    }

    fn check(kind: u32, access: u32, major: u32, minor: u32, expect: u64) {
        assert_eq!(run([kind | access << 16, major, minor]), expect, "{kind} {access} {major}:{minor}");
    }

    #[test]
    fn only_devices_that_every_container_has_can_be_opened() {
        const BLOCK: u32 = 1;
        const CHARACTER: u32 = 2;
        let [read, write, both] = [2, 4, 6];
        for (major, minor) in USABLE {
            for access in [read, write, both] {
                check(CHARACTER, access, major, minor.unwrap_or(7), 1);
                check(BLOCK, access, major, minor.unwrap_or(7), 0);
            }
        }
        // mem, kmsg, fuse, kvm, loop-control, tun, tty1, and a loop device.
        for (major, minor) in [(1, 1), (1, 11), (10, 229), (10, 232), (10, 237), (10, 200), (4, 1)] {
            check(CHARACTER, read, major, minor, 0);
            check(CHARACTER, both, major, minor, 0);
        }
        check(BLOCK, read, 7, 0, 0);
    }

    #[test]
    fn files_of_all_devices_can_be_made_and_not_opened_at_once() {
        const MAKE_AND_READ: u32 = 3;
        check(1, MAKE as u32, 7, 0, 1);
        check(2, MAKE as u32, 10, 232, 1);
        check(2, MAKE_AND_READ, 10, 232, 0);
    }
}
