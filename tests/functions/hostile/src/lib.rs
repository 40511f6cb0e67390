//! Stages that break every limit, each in one way.

use std::hint::black_box;

use guest_sdk::prelude::*;

/// Misbehaves, each stage in one way.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Counts down, and ends badly.
    #[derive(Object)]
    pub struct Bomb {
        seconds: u32,
    }

    impl Bomb {
        /// A bomb.
        pub fn new(seconds: u32) -> Self {
            Self { seconds }
        }

        /// Returns how much time is left.
        pub fn left(&self) -> u32 {
            self.seconds
        }

        /// Panics.
        pub fn explode(&self) -> u32 {
            panic!("boom after {}", self.seconds)
        }
    }

    /// Consumes a bomb.
    pub fn defuse(bomb: Bomb) -> u32 {
        bomb.seconds
    }

    /// Never ends.
    pub fn endless_loop() {
        loop {
            black_box(0);
        }
    }

    /// Takes memory until there is none.
    pub fn memory_bomb() -> u32 {
        let mut taken: Vec<Vec<u8>> = Vec::new();
        loop {
            taken.push(black_box(vec![1; 1 << 20]));
        }
    }

    /// Calls itself without end.
    pub fn stack_overflow() -> u64 {
        deeper(black_box(0))
    }

    /// Writes to standard output.
    pub fn stdout_flood(
        /// How many MiB.
        mib: u32,
    ) {
        for _ in 0..mib * 1024 {
            println!("{:1023}", "flood");
        }
    }

    /// Writes to standard error.
    pub fn stderr_flood(
        /// How many MiB.
        mib: u32,
    ) {
        for _ in 0..mib * 1024 {
            eprintln!("{:1023}", "flood");
        }
    }

    /// Logs messages.
    pub fn log_flood(
        /// How many messages of 1 KiB.
        messages: u32,
    ) {
        for n in 0..messages {
            log::info!("{n:1024}");
        }
    }

    /// Holds a million objects at once; returns how many.
    pub fn million_handles(
        /// Another number.
        n: Option<u32>,
    ) -> u32 {
        let held: Vec<Directory> = (0..n.unwrap_or(1_000_000)).map(|_| Directory::new()).collect();
        black_box(&held).len() as u32
    }

    /// Makes objects and drops each at once; returns how many.
    pub fn million_drops(
        /// Another number.
        n: Option<u32>,
    ) -> u32 {
        (0..n.unwrap_or(1_000_000)).map(|_| drop(black_box(Directory::new()))).count() as u32
    }

    /// Returns a directory that `n` calls made, each on the one before.
    pub fn deep_chain(
        /// How many calls.
        n: u32,
    ) -> Directory {
        (0..n).fold(Directory::new(), |directory, n| directory.with_new_file(format!("{}", n % 100), n.to_string()))
    }

    /// Returns a directory that has itself twice, `n` times over: small to write down, and
    /// 2^n paths to follow.
    pub fn wide_graph(
        /// How often.
        n: u32,
    ) -> Directory {
        let leaf = Directory::new().with_new_file("leaf", "");
        (0..n).fold(leaf, |directory, _| Directory::new().merge([&directory, &directory]))
    }

    /// Panics with a message.
    pub fn panic_with_message(message: &str) {
        panic!("{message}");
    }

    /// Panics because of an index.
    pub fn index_out_of_bounds(n: u32) -> u32 {
        [1, 2, 3][n as usize]
    }

    /// Panics because it has no value.
    pub fn unwrap_nothing() -> String {
        black_box(None::<String>).unwrap()
    }

    /// Traps without a message.
    pub fn trap() {
        std::process::abort();
    }

    /// Ends the program.
    pub fn exit(
        /// The exit code, which the host cannot see as more than a failure.
        code: i32,
    ) {
        std::process::exit(code);
    }

    /// Returns a long text.
    pub fn huge_result(
        /// How many MiB.
        mib: u32,
    ) -> String {
        "x".repeat((mib as usize) << 20)
    }

    /// Fails with a long message.
    pub fn huge_error(
        /// How many MiB.
        mib: u32,
    ) -> Result<()> {
        bail!("{}", "x".repeat((mib as usize) << 20))
    }

    /// Hands over a long text.
    pub fn huge_argument(
        /// How many MiB.
        mib: u32,
    ) -> Result<u64> {
        Directory::new().with_new_file("huge", "x".repeat((mib as usize) << 20)).file("huge").size()
    }

    /// Fails with a message that would change a terminal.
    pub fn terminal_escape() -> Result<()> {
        log::warn!("\x1b[2Jlogged\r\x07");
        eprintln!("\x1b[2Jwritten\r\x07");
        bail!("\x1b[2Jfailed\r\x07")
    }

    /// Asks for a file outside of a directory.
    pub fn path_escape() -> Result<String> {
        Directory::new().file("../../etc/passwd").contents()
    }

    /// Returns what of the world it can see: all of it must be the same on every run.
    pub fn look_around() -> Vec<String> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
        let connected = std::net::TcpStream::connect("127.0.0.1:80").map(|_| ());
        vec![
            format!("arguments: {:?}", std::env::args().collect::<Vec<_>>()),
            format!("variables: {:?}", std::env::vars().collect::<Vec<_>>()),
            format!("time: {now:?}"),
            format!("random: {random}"),
            format!("files: {:?}", std::fs::read_dir("/").map(|entries| entries.count()).map_err(|error| error.kind())),
            format!("network: {:?}", connected.map_err(|error| error.kind())),
            format!("input: {:?}", std::io::read_to_string(std::io::stdin()).map_err(|error| error.kind())),
        ]
    }

    /// Waits, with the clock that it was given.
    pub fn sleep(seconds: u32) {
        std::thread::sleep(std::time::Duration::from_secs(seconds.into()));
    }

    /// Counts its calls in a static variable: 1, unless calls share their memory.
    pub fn count_calls() -> u32 {
        static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1
    }

    /// Runs a command that never ends.
    pub fn endless_command() -> Result<()> {
        machine::rootfs().with_exec(["sleep", "1000000"]).sync()
    }

    /// Runs a command that makes processes until there are none left.
    pub fn fork_bomb(
        /// How many it may have.
        limit: u32,
    ) -> Result<i32> {
        let script = "i=0; while [ $i -lt 5000 ]; do sleep 60 & i=$((i+1)); done; exit 0";
        machine::rootfs()
            .with_exec_options(
                ["sh", "-c", script],
                ExecOptions::new().any_code().process_limit(limit).timeout_seconds(30),
            )
            .exit_code()
    }
}

#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if frame[0] == u64::MAX {
        return 0;
    }
    deeper(depth + 1) + black_box(frame)[0]
}
