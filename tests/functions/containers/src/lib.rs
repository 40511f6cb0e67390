//! Stages that use every method of containers except the options of commands, and report what is
//! wrong.

use check::{OK, equal, fails, output, sh};
use guest_sdk::prelude::*;

/// Checks the configuration, the files and the mounts of containers, one behaviour per stage.
///
/// `root` is a container with a shell; the default is this machine.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// `with_env_variable`, `with_env_variable_expanded`, `without_env_variable`.
    pub fn env_variables(root: Option<Container>) -> Result<String> {
        let container = check::root(root)
            .with_env_variable("A", "1")
            .with_env_variable("B", "$A")
            .with_env_variable_expanded("C", "${A}-$A")
            .with_env_variable("GONE", "1")
            .without_env_variable("GONE");
        equal("A", container.env_variable("A")?.as_deref(), Some("1"))?;
        equal("GONE", container.env_variable("GONE")?, None::<String>)?;
        equal("in a command", output(&container, "echo $A $B $C ${GONE-gone}")?, "1 $A 1-1 gone")?;
        let ours: Vec<_> = container
            .with_env_variable("A", "2")
            .env_variables()?
            .into_iter()
            .filter(|(name, _)| name.len() == 1)
            .collect();
        let want = [("A", "2"), ("B", "$A"), ("C", "1-1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        equal("replaced in place", ours, want)?;
        Ok(OK.into())
    }

    /// `with_workdir`, `without_workdir`, relative paths.
    pub fn workdir(root: Option<Container>) -> Result<String> {
        let container = check::root(root).with_workdir("/work").with_workdir("sub");
        equal("workdir", container.workdir()?, "/work/sub")?;
        equal("in a command", output(&container, "pwd")?, "/work/sub")?;
        equal("a relative file", container.with_new_file("f", "x").file("/work/sub/f").contents()?, "x")?;
        equal("without", container.without_workdir().workdir()?, "/")?;
        Ok(OK.into())
    }

    /// `with_user`, `without_user`.
    pub fn user(root: Option<Container>) -> Result<String> {
        let container = check::root(root).with_user("1000:1001");
        equal("user", container.user()?, "1000:1001")?;
        equal("in a command", output(&container, "echo $(id -u):$(id -g)")?, "1000:1001")?;
        equal("root", output(&container.without_user(), "id -u")?, "0")?;
        Ok(OK.into())
    }

    /// `with_entrypoint`, `with_default_args`, and the methods that remove them.
    pub fn entrypoint(root: Option<Container>) -> Result<String> {
        let container = check::root(root).with_entrypoint(["echo", "entry"]).with_default_args(["echo", "default"]);
        equal("entrypoint", container.entrypoint()?, ["echo", "entry"])?;
        equal("default arguments", container.default_args()?, ["echo", "default"])?;
        equal("not used unless asked for", container.with_exec(["echo", "x"]).stdout()?, "x\n")?;
        let used = container.with_exec_options(["x"], ExecOptions::new().use_entrypoint());
        equal("used", used.stdout()?, "entry x\n")?;
        equal("default", container.with_default_exec().stdout()?, "default\n")?;
        equal("an entrypoint takes them away", container.with_entrypoint(["a"]).default_args()?, [""; 0])?;
        equal("without entrypoint", container.without_entrypoint().entrypoint()?, [""; 0])?;
        equal("without arguments", container.without_default_args().default_args()?, [""; 0])?;
        Ok(OK.into())
    }

    /// `with_label`, `with_annotation`, and the methods that remove them.
    pub fn labels() -> Result<String> {
        let container = Container::new().with_label("b", "2").with_label("a", "1").with_annotation("c", "3");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        equal("labels", container.labels()?, [pair("a", "1"), pair("b", "2")])?;
        equal("label", container.label("a")?.as_deref(), Some("1"))?;
        equal("without", container.without_label("a").labels()?, [pair("b", "2")])?;
        equal("annotations", container.annotations()?, [pair("c", "3")])?;
        equal("without annotation", container.without_annotation("c").annotations()?, [])?;
        Ok(OK.into())
    }

    /// `with_exposed_port`, `without_exposed_port`, both also with a protocol.
    pub fn ports() -> Result<String> {
        let container = Container::new()
            .with_exposed_port(8080)
            .with_exposed_port(80)
            .with_exposed_port_protocol(53, Protocol::Udp);
        let numbers = |container: Container| -> Result<Vec<u16>> {
            Ok(container.exposed_ports()?.into_iter().map(|port| port.number).collect())
        };
        equal("one of another transport stays", numbers(container.without_exposed_port(53))?, [53, 80, 8080])?;
        let without = container.without_exposed_port_protocol(53, Protocol::Udp).without_exposed_port(80);
        equal("without", numbers(without)?, [8080])?;
        Ok(OK.into())
    }

    /// `with_platform`, `platform`.
    pub fn platform() -> Result<String> {
        equal("platform", Container::new().with_platform("linux/arm64").platform()?, "linux/arm64")?;
        Container::new().platform()
    }

    /// `with_new_file`, `with_new_file_options`, `with_new_directory`, `with_symlink`.
    pub fn new_files(root: Option<Container>) -> Result<String> {
        let container = check::root(root)
            .with_new_file("/work/a", "a")
            .with_new_file_options(
                "/work/bin",
                "#!/bin/sh\necho ran\n",
                NewOptions::new().mode(0o755).owner("1000:1000"),
            )
            .with_new_directory("/work/dir")
            .with_symlink("a", "/work/link");
        equal("contents", container.file("/work/link").contents()?, "a")?;
        equal(
            "a command",
            output(&container, "/work/bin; stat -c %u:%g:%a /work/bin; stat -c %F /work/dir")?,
            "ran\n1000:1000:755\ndirectory",
        )?;
        ensure!(container.exists("/work/link")?, "there is no link");
        Ok(OK.into())
    }

    /// `with_file`, `with_files`, `with_directory`, each with options, and the methods that remove
    /// files.
    pub fn copies(root: Option<Container>) -> Result<String> {
        let (file, tree) = (File::new("f", "x"), Directory::new().with_new_file("t/a", "").with_new_file("t/b.o", ""));
        let container = check::root(root)
            .with_file("/work/", &file)
            .with_file_options("/work/g", &file, CopyOptions::new().mode(0o600).owner("1000"))
            .with_files("/work/many", [&file, &file.with_name("h")])
            .with_directory("/work/tree", &tree)
            .with_directory_options("/work/some", &tree, CopyOptions::new().exclude(["**/*.o"]));
        equal(
            "files",
            output(&container, "cd /work && find . -type f | sort | tr '\\n' ' '")?,
            "./f ./g ./many/f ./many/h ./some/t/a ./tree/t/a ./tree/t/b.o",
        )?;
        equal("owner and mode", output(&container, "stat -c %u:%a /work/g")?, "1000:600")?;
        let less =
            container.without_file("/work/f").without_files(["/work/g", "/work/none"]).without_directory("/work/tree");
        equal("without", output(&less, "ls /work")?, "many\nsome")?;
        Ok(OK.into())
    }

    /// `with_rootfs`, `rootfs`, `directory`.
    pub fn rootfs() -> Result<String> {
        let tree = Directory::new().with_new_file("a", "1");
        let container = Container::new().with_rootfs(&tree).with_new_file("/b", "2");
        equal("entries", container.rootfs().entries()?, ["a", "b"])?;
        equal("the same directory", container.directory("/").digest()?, container.rootfs().digest()?)?;
        Ok(OK.into())
    }

    /// `with_mounted_directory`, with options, `with_mounted_file`, `mounts`, `without_mount`.
    pub fn mounts(root: Option<Container>) -> Result<String> {
        let tree = Directory::new().with_new_file("a", "1");
        let container = check::root(root)
            .with_new_file("/m/under", "u")
            .with_mounted_directory("/m", &tree)
            .with_mounted_directory_options("/ro", &tree, MountOptions::new().read_only())
            .with_mounted_file("/one", File::new("f", "x"));
        equal("paths", container.mounts()?, ["/m", "/ro", "/one"])?;
        let changed = sh(&container, "echo 2 > /m/b");
        equal("a change shows in what is mounted", changed.directory("/m").entries()?, ["a", "b"])?;
        equal("and in later commands", output(&changed, "cat /m/b /one")?, "2\nx")?;
        ensure!(!changed.rootfs().exists("m/b")?, "the root file system has what is mounted");
        equal("what is under it", changed.without_mount("/m").directory("/m").entries()?, ["under"])?;
        fails("read-only", sh(&container, "echo 2 > /ro/b").sync(), code::EXEC)?;
        Ok(OK.into())
    }

    /// `with_mounted_temp`, with options.
    pub fn temp(root: Option<Container>) -> Result<String> {
        let container = check::root(root)
            .with_mounted_temp("/t")
            .with_mounted_temp_options("/small", MountOptions::new().size_bytes(1 << 20).mode(0o700));
        let written = sh(&container, "echo 1 > /t/a");
        equal("new for each command", output(&written, "ls /t")?, "")?;
        equal("mode", output(&container, "stat -c %a /small")?, "700")?;
        fails("too much", sh(&container, "head -c 4000000 /dev/zero > /small/a").sync(), code::EXEC)?;
        Ok(OK.into())
    }

    /// `with_mounted_cache`, with options.
    pub fn cache_volume(
        root: Option<Container>,
        /// A key that no other test uses.
        key: &str,
    ) -> Result<String> {
        let volume = CacheVolume::new(key);
        equal("key", volume.key(), key)?;
        let seed = Directory::new().with_new_file("seed", "s");
        let options = MountOptions::new().sharing(CacheSharing::Locked).seed(seed);
        let container = check::root(root).with_mounted_cache_options("/c", &volume, options);
        let counted = container.with_exec_options(
            ["sh", "-c", "cat /c/seed && echo >> /c/n && wc -l < /c/n"],
            ExecOptions::new().without_cache(),
        );
        counted.stdout()
    }

    /// `with_secret_variable`, `with_mounted_secret`, with options, and the methods that remove
    /// them. Returns the output of the commands, which must not contain the value.
    pub fn secret(root: Option<Container>, secret: &Secret) -> Result<String> {
        let container = check::root(root)
            .with_secret_variable("TOKEN", secret)
            .with_mounted_secret("/token", secret)
            .with_mounted_secret_options("/open", secret, MountOptions::new().mode(0o444).owner("1000:1000"));
        equal("modes", output(&container, "stat -c %u:%a /token /open")?, "0:400\n1000:444")?;
        equal("one value", output(&container, "[ \"$TOKEN\" = \"$(cat /token)\" ] && echo same")?, "same")?;
        equal("not among the variables", container.env_variable("TOKEN")?, None::<String>)?;
        let without = container.without_secret_variable("TOKEN");
        equal("without", output(&without, "echo ${TOKEN-none}")?, "none")?;
        output(&container, "echo value: $TOKEN; cat /token")
    }

    /// `with_service_binding`, `as_service`, `hostname`, `with_hostname`, `endpoint`, `up`,
    /// `stop`. Needs `python3`.
    pub fn service(root: Option<Container>) -> Result<String> {
        let root = check::root(root);
        let serve = "mkdir -p /www && echo served > /www/f && cd /www && exec python3 -m http.server 8000";
        let service =
            root.with_exposed_port(8000).with_default_args(["sh", "-c", serve]).as_service().with_hostname("web");
        equal("hostname", service.hostname(), "web")?;
        equal("endpoint", service.endpoint_of(None, Some("http"))?, "http://web:8000")?;
        service.up()?;
        let fetch = "import urllib.request as r; print(r.urlopen('http://alias:8000/f').read().decode(), end='')";
        let fetched = root.with_service_binding("alias", &service).with_exec(["python3", "-c", fetch]).stdout()?;
        equal("fetched", fetched, "served\n")?;
        service.stop()?;
        Ok(OK.into())
    }

    /// `as_tarball`, `import_image`, `import_layout`, each also by a tag.
    pub fn images(root: Option<Container>) -> Result<String> {
        let container = Container::new().with_new_file("/a", "1").with_env_variable("B", "2").with_label("c", "3");
        let archive = container.as_tarball();
        let unpacker = check::root(root).with_mounted_file("/archive", &archive).with_new_directory("/layout");
        let layout = sh(&unpacker, "tar -xf /archive -C /layout").directory("/layout");
        for back in [Container::new().import_image(&archive), Container::new().import_layout(&layout)] {
            equal("a file", back.file("/a").contents()?, "1")?;
            equal("a variable", back.env_variable("B")?.as_deref(), Some("2"))?;
            equal("a label", back.label("c")?.as_deref(), Some("3"))?;
        }
        fails("no such tag", Container::new().import_image_tag(&archive, "none").sync(), code::NOT_FOUND)?;
        fails("no such tag", Container::new().import_layout_tag(&layout, "none").sync(), code::NOT_FOUND)?;
        fails("not an image as it was pulled", container.image_ref(), code::INVALID_ARGUMENT)?;
        Ok(OK.into())
    }

    /// `from_image`, `image_ref`: runs three steps on an image and returns the pinned
    /// reference.
    pub fn image(address: &str) -> Result<String> {
        let image = || Container::new().from_image(address);
        let steps: Vec<Container> = (0..3).map(|n| sh(&image(), &format!("echo {n}"))).collect();
        sync_all(&steps)?;
        image().image_ref()
    }

    /// `build`, `build_options`: returns the contents of `/out` in the image.
    pub fn dockerfile(context: &Directory, target: Option<&str>, argument: Option<&str>) -> Result<String> {
        let built = match target {
            None => Container::new().build(context),
            Some(target) => {
                let options = BuildOptions::new().dockerfile("Dockerfile").target(target);
                let options = options.argument("ARGUMENT", argument.unwrap_or_default());
                Container::new().build_options(context, options)
            }
        };
        built.file("/out").contents()
    }

    /// `with_error`, `id`.
    pub fn error() -> Result<String> {
        let container = Container::new();
        let failed = container.with_error("told to fail").sync().err();
        equal("message", failed.map(|error| error.message.contains("told to fail")), Some(true))?;
        equal("none", container.with_error("").sync().err(), None::<Error>)?;
        equal("equal definitions", Container::new().id(), container.id())?;
        Ok(OK.into())
    }
}
