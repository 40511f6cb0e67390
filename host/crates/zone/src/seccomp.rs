//! The system calls that commands may make: a list like Docker's, which is compiled once in each zone.
//!
//! A call that is not in the list is refused with EPERM. One that this list cannot know, because it is
//! newer, and `clone3`, whose flags a filter cannot see, are refused with ENOSYS, so that C libraries
//! fall back to older calls. A program of another architecture gets ENOSYS for everything.
//! Source: Docker Engine, moby/profiles, `seccomp/default.json` v0.3.0, as it applies to a container with the
//! default capabilities.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::calls::allowed;

/// The numbers above this are of calls that this list does not know. Source: Linux 6.17, `syscall.tbl`.
const LAST_KNOWN: u32 = 469;

/// The flags of `clone` that make namespaces.
const NAMESPACE_FLAGS: u32 = 0x7e02_0000;

/// The execution domains that `personality` may choose: Linux, 32 bits of address, and asking.
const PERSONALITIES: [u32; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// The socket families from 12 on that are allowed; those below 12 all are. Missing are those with
/// a history of holes, among them AF_ALG (38), and AF_VSOCK (40), which leads out of a virtual machine.
const FAMILIES: [u32; 25] =
    [13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45];

/// Returns the program as crun takes it in its annotation. Takes microseconds.
pub(super) fn compiled() -> String {
    STANDARD.encode(bytes(&compile()))
}

/// One instruction of the kernel's filter language. Source: `linux/filter.h`, `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instruction {
    code: u16,
    if_true: u8,
    if_false: u8,
    operand: u32,
}

// Source: linux/bpf_common.h, linux/seccomp.h, linux/audit.h.
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;
const ALLOW: u32 = 0x7fff_0000;
const REFUSE: u32 = 0x0005_0000 | libc::EPERM as u32;
const NO_SUCH_CALL: u32 = 0x0005_0000 | libc::ENOSYS as u32;
const THIS_ARCHITECTURE: u32 = if cfg!(target_arch = "aarch64") { 0xc000_00b7 } else { 0xc000_003e };

/// Compiles the list to a filter.
///
/// The kernel tries a new filter on every call there is, to know which it always allows, so the length
/// of a filter is paid in every step: a comparison per call costs 1 ms, one per run of neighbouring
/// numbers next to nothing. That is why this is not left to a library.
fn compile() -> Vec<Instruction> {
    let step = |code, if_true, if_false, operand| Instruction { code, if_true, if_false, operand };
    let answer = |operand| step(RETURN, 0, 0, operand);
    let mut program = vec![
        step(LOAD, 0, 0, ARCHITECTURE),
        step(EQUAL, 1, 0, THIS_ARCHITECTURE),
        answer(NO_SUCH_CALL),
        step(LOAD, 0, 0, NUMBER),
        step(AT_LEAST, 1, 0, LAST_KNOWN + 1),
        step(EQUAL, 0, 1, libc::SYS_clone3 as u32),
        answer(NO_SUCH_CALL),
    ];
    let families: Vec<u32> = (0..12).chain(FAMILIES).collect();
    for (number, values) in [(libc::SYS_socket, families.as_slice()), (libc::SYS_personality, &PERSONALITIES)] {
        let ranges = ranges(values.iter().copied());
        program.push(step(EQUAL, 0, (2 * ranges.len() + 3) as u8, number as u32));
        program.push(step(LOAD, 0, 0, FIRST_ARGUMENT));
        program.extend(decide(&ranges));
    }
    // Namespaces are asked for by the lower half of the argument.
    program.extend([
        step(EQUAL, 0, 5, libc::SYS_clone as u32),
        step(LOAD, 0, 0, FIRST_ARGUMENT),
        step(AND, 0, 0, NAMESPACE_FLAGS),
        step(EQUAL, 0, 1, 0),
        answer(ALLOW),
        answer(REFUSE),
    ]);
    program.extend(decide(&ranges(allowed().map(|(_, number)| number as u32))));
    program
}

/// Returns the runs of neighbouring numbers, each from its first to the one after its last.
fn ranges(values: impl Iterator<Item = u32>) -> Vec<(u32, Option<u32>)> {
    let mut values: Vec<u32> = values.collect();
    values.sort_unstable();
    let mut ranges: Vec<(u32, Option<u32>)> = Vec::new();
    for value in values {
        match ranges.last_mut() {
            Some((_, end)) if *end == Some(value) => *end = value.checked_add(1),
            _ => ranges.push((value, value.checked_add(1))),
        }
    }
    ranges
}

/// Returns instructions that allow a loaded value in one of the ranges and refuse any other: two a
/// range, from the highest down, and two for the answers.
fn decide(ranges: &[(u32, Option<u32>)]) -> Vec<Instruction> {
    let mut program = Vec::new();
    let n_steps = 2 * ranges.len();
    for (first, end) in ranges.iter().rev() {
        // The first jumps to the refusal, which stands right behind all steps; the second, one
        // further down, to the permission, which stands one further down.
        let way = (n_steps - program.len() - 1) as u8;
        // A range that ends with the last number of all has nothing beyond it.
        let (beyond, operand) = end.map_or((0, u32::MAX), |end| (way, end));
        program.push(Instruction { code: AT_LEAST, if_true: beyond, if_false: 0, operand });
        program.push(Instruction { code: AT_LEAST, if_true: way, if_false: 0, operand: *first });
    }
    program.push(Instruction { code: RETURN, if_true: 0, if_false: 0, operand: REFUSE });
    program.push(Instruction { code: RETURN, if_true: 0, if_false: 0, operand: ALLOW });
    program
}

fn bytes(program: &[Instruction]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(program.len() * 8);
    for step in program {
        bytes.extend(step.code.to_ne_bytes());
        bytes.extend([step.if_true, step.if_false]);
        bytes.extend(step.operand.to_ne_bytes());
    }
    bytes
}

/// Returns the same list as the OCI configuration has it, for a runtime that has to compile it.
pub(super) fn profile() -> Value {
    let names: Vec<&str> = allowed().map(|(name, _)| name).collect();
    let equals = |name: &str, value: u32, operator: &str| json!({"names": [name], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": value, "op": operator}]});
    let mut calls = vec![
        json!({"names": names, "action": "SCMP_ACT_ALLOW"}),
        equals("socket", 12, "SCMP_CMP_LT"),
        json!({"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": NAMESPACE_FLAGS, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]}),
        json!({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": libc::ENOSYS}),
    ];
    calls.extend(FAMILIES.map(|family| equals("socket", family, "SCMP_CMP_EQ")));
    calls.extend(PERSONALITIES.map(|domain| equals("personality", domain, "SCMP_CMP_EQ")));
    json!({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": libc::EPERM, "syscalls": calls})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel does.
    fn answer(program: &[Instruction], architecture: u32, number: u32, argument: u32) -> u32 {
        let (mut at, mut value) = (0, 0);
        loop {
            let Instruction { code, if_true, if_false, operand } = program[at];
            at += 1;
            let mut jump = |holds: bool| at += usize::from(if holds { if_true } else { if_false });
            match code {
                LOAD => {
                    value = match operand {
                        ARCHITECTURE => architecture,
                        NUMBER => number,
                        _ => argument,
                    }
                }
                AND => value &= operand,
                EQUAL => jump(value == operand),
                AT_LEAST => jump(value >= operand),
                _ => return operand,
            }
        }
    }

    #[test]
    fn every_call_gets_the_answer_of_the_list() {
        let program = compile();
        assert!(program.len() < 400, "{}", program.len());
        let special = [libc::SYS_socket, libc::SYS_personality, libc::SYS_clone, libc::SYS_clone3];
        for number in (0..1000).filter(|number| !special.contains(number)) {
            let expect = match number {
                number if number > i64::from(LAST_KNOWN) => NO_SUCH_CALL,
                number if allowed().any(|(_, allowed)| allowed == number) => ALLOW,
                _ => REFUSE,
            };
            assert_eq!(answer(&program, THIS_ARCHITECTURE, number as u32, 0), expect, "{number}");
        }
        assert_eq!(answer(&program, 0x4000_0003, 1, 0), NO_SUCH_CALL);
        let check = |number: i64, argument, expect| {
            assert_eq!(answer(&program, THIS_ARCHITECTURE, number as u32, argument), expect, "{number} {argument}");
        };
        for family in 0..100 {
            let is_allowed = family < 12 || FAMILIES.contains(&family);
            check(libc::SYS_socket, family, if is_allowed { ALLOW } else { REFUSE });
        }
        for (domain, expect) in [(0, ALLOW), (8, ALLOW), (9, REFUSE), (0xffff_ffff, ALLOW), (0xffff_fffe, REFUSE)] {
            check(libc::SYS_personality, domain, expect);
        }
        check(libc::SYS_clone, libc::SIGCHLD as u32, ALLOW);
        check(libc::SYS_clone, libc::CLONE_NEWUSER as u32 | libc::SIGCHLD as u32, REFUSE);
        check(libc::SYS_clone3, 0, NO_SUCH_CALL);
    }

    #[test]
    fn all_jumps_are_near_enough() {
        assert!(ranges(allowed().map(|(_, number)| number as u32)).len() < 127);
    }

    #[test]
    fn calls_that_lead_out_of_a_container_are_not_in_the_list() {
        let names: Vec<&str> = allowed().map(|(name, _)| name).collect();
        for name in ["mount", "unshare", "setns", "keyctl", "add_key", "bpf", "clone3", "clone", "socket", "reboot"] {
            assert!(!names.contains(&name), "{name}");
        }
        assert!(names.len() > 250, "{}", names.len());
    }
}
