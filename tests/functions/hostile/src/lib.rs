//! Stages that exceed every limit, each in one way.

use std::hint::black_box;

use guest_sdk::prelude::*;

/// Misbehaves, each stage in one way.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Counts down and then panics.
    #[derive(Object)]
    pub struct Bomb {
        seconds: u32,
    }

    impl Bomb {
        /// Returns a bomb.
        pub fn new(seconds: u32) -> Self {
            Self { seconds }
        }

        /// Returns the time that is left.
        pub fn left(&self) -> u32 {
            self.seconds
        }

        /// Panics at once.
        pub fn explode(&self) -> u32 {
            panic!("boom after {}", self.seconds)
        }
    }

    /// Consumes a bomb.
    pub fn defuse(bomb: Bomb) -> u32 {
        bomb.seconds
    }

    /// Loops without end.
    pub fn endless_loop() {
        loop {
            black_box(0);
        }
    }

    /// Allocates memory until there is none.
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
        /// The number of MiB.
        mib: u32,
    ) {
        for _ in 0..mib * 1024 {
            println!("{:1023}", "flood");
        }
    }

    /// Writes to standard error.
    pub fn stderr_flood(
        /// The number of MiB.
        mib: u32,
    ) {
        for _ in 0..mib * 1024 {
            eprintln!("{:1023}", "flood");
        }
    }

    /// Logs many messages.
    pub fn log_flood(
        /// The number of messages of 1 KiB.
        messages: u32,
    ) {
        for n in 0..messages {
            log::info!("{n:1024}");
        }
    }

    /// Makes a container or a directory by `n` calls, each on the result of the one before and each with a text of its
    /// own, and returns their number.
    pub fn hoard(
        /// What is made: `files`, `directories`, `variables`, `labels`, `arguments`, `errors` or `keys`.
        what: &str,
        /// The number of calls.
        n: u32,
        /// The length of each text in KiB, besides its number.
        kib: u32,
    ) -> u32 {
        // A path, for names in one must not be long.
        let rest = format!("/{:063}", 0).repeat(16 * kib as usize);
        let text = |n: u32| format!("{n}{rest}");
        let (mut container, mut keys) = (Container::new(), Vec::new());
        for n in 0..n {
            container = match what {
                "files" => container.with_new_file(n.to_string(), text(n)),
                "directories" => container.with_new_directory(text(n)),
                "variables" => container.with_env_variable(n.to_string(), text(n)),
                "labels" => container.with_label(n.to_string(), text(n)),
                "arguments" => container.with_exec([text(n)]),
                "errors" => {
                    keys.push(Err(Container::new().with_error(text(n))));
                    container
                }
                _ => {
                    keys.push(Ok(CacheVolume::new(text(n))));
                    container
                }
            };
        }
        black_box((container, keys));
        n
    }

    /// Holds a million objects at the same time, and returns their number.
    pub fn million_handles(
        /// Another number of objects.
        n: Option<u32>,
    ) -> u32 {
        let held: Vec<Directory> = (0..n.unwrap_or(1_000_000)).map(|_| Directory::new()).collect();
        black_box(&held).len() as u32
    }

    /// Makes a million objects and drops each at once, and returns their number.
    pub fn million_drops(
        /// Another number of objects.
        n: Option<u32>,
    ) -> u32 {
        (0..n.unwrap_or(1_000_000)).map(|_| drop(black_box(Directory::new()))).count() as u32
    }

    /// Returns a directory that is made by `n` calls, each on the result of the one before.
    pub fn deep_chain(
        /// The number of calls.
        n: u32,
    ) -> Directory {
        (0..n).fold(Directory::new(), |directory, n| directory.with_new_file(format!("{}", n % 100), n.to_string()))
    }

    /// Returns a directory that contains itself twice, `n` levels deep: the definition is small and
    /// has 2^n paths.
    pub fn wide_graph(
        /// The number of levels.
        n: u32,
    ) -> Directory {
        let leaf = Directory::new().with_new_file("leaf", "");
        (0..n).fold(leaf, |directory, _| Directory::new().merge([&directory, &directory]))
    }

    /// Panics with a message.
    pub fn panic_with_message(message: &str) {
        panic!("{message}");
    }

    /// Panics because of an index that is out of bounds.
    pub fn index_out_of_bounds(n: u32) -> u32 {
        [1, 2, 3][n as usize]
    }

    /// Panics because a value is missing.
    pub fn unwrap_nothing() -> String {
        black_box(None::<String>).unwrap()
    }

    /// Traps without a message.
    pub fn trap() {
        std::process::abort();
    }

    /// Exits with a code.
    pub fn exit(
        /// The exit code, of which the host sees only that it is a failure.
        code: i32,
    ) {
        std::process::exit(code);
    }

    /// Returns a long text.
    pub fn huge_result(
        /// The number of MiB.
        mib: u32,
    ) -> String {
        "x".repeat((mib as usize) << 20)
    }

    /// Fails with a long message.
    pub fn huge_error(
        /// The number of MiB.
        mib: u32,
    ) -> Result<()> {
        bail!("{}", "x".repeat((mib as usize) << 20))
    }

    /// Passes a long text to the host.
    pub fn huge_argument(
        /// The number of MiB.
        mib: u32,
    ) -> Result<u64> {
        Directory::new().with_new_file("huge", "x".repeat((mib as usize) << 20)).file("huge").size()
    }

    /// Fails with a message that contains terminal escape sequences.
    pub fn terminal_escape() -> Result<()> {
        log::warn!("\x1b[2Jlogged\r\x07");
        eprintln!("\x1b[2Jwritten\r\x07");
        bail!("\x1b[2Jfailed\r\x07")
    }

    /// Reads a file outside of a directory.
    pub fn path_escape() -> Result<String> {
        Directory::new().file("../../etc/passwd").contents()
    }

    /// Returns everything that it can see of the world, which must be the same in every run.
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

    /// Sleeps, by the clock that it has.
    pub fn sleep(seconds: u32) {
        std::thread::sleep(std::time::Duration::from_secs(seconds.into()));
    }

    /// Counts its calls in a static variable: the result is 1 unless calls share memory.
    pub fn count_calls() -> u32 {
        static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1
    }

    /// Runs a command that does not end.
    pub fn endless_command() -> Result<()> {
        machine::rootfs().with_exec(["sleep", "1000000"]).sync()
    }

    /// Runs a command that creates processes until it cannot.
    pub fn fork_bomb(
        /// The limit of processes.
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

    /// Runs scripts at the same time, each in a container of its own, and returns for each its exit code and output.
    pub fn scripts(
        /// The root of the containers; by default the tools of this machine.
        root: Option<Directory>,
        scripts: Vec<String>,
        /// The limit of processes.
        processes: Option<u32>,
    ) -> Vec<String> {
        let ran = super::run(root, &scripts, processes);
        let answer = |container: &Container| -> Result<String> {
            Ok(format!("{} {}", container.exit_code()?, container.stdout()?.trim()))
        };
        ran.iter().map(|container| answer(container).unwrap_or_else(|error| format!("error {error}"))).collect()
    }

    /// Runs scripts like `scripts`, and returns for each what is in the file `/out` afterwards.
    pub fn outputs(
        /// The root of the containers; by default the tools of this machine.
        root: Option<Directory>,
        scripts: Vec<String>,
    ) -> Vec<String> {
        let ran = super::run(root, &scripts, None);
        let contents = |container: &Container| container.file("/out").contents();
        ran.iter().map(|container| contents(container).unwrap_or_else(|error| format!("error {error}"))).collect()
    }

    /// Pulls images, and returns for each the contents of a file, or the error.
    pub fn pulls(
        images: Vec<String>,
        /// The path of the file.
        file: &str,
    ) -> Vec<String> {
        let contents = |image: &String| Container::new().from_image(image).file(file).contents();
        images.iter().map(|image| contents(image).unwrap_or_else(|error| format!("error {error}"))).collect()
    }
}

/// Runs scripts in containers of their own, all at the same time and to their ends.
fn run(root: Option<Directory>, scripts: &[String], processes: Option<u32>) -> Vec<Container> {
    let root = root.map_or_else(machine::rootfs, |root| Container::new().with_rootfs(&root));
    let options = || {
        let options = ExecOptions::new().any_code().without_network().timeout_seconds(100);
        match processes {
            Some(limit) => options.process_limit(limit),
            None => options,
        }
    };
    let ran: Vec<_> = scripts.iter().map(|script| root.with_exec_options(["sh", "-c", script], options())).collect();
    // Each is asked for its own error afterwards.
    let _ = sync_all(&ran);
    ran
}

#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if frame[0] == u64::MAX {
        return 0;
    }
    deeper(depth + 1) + black_box(frame)[0]
}
