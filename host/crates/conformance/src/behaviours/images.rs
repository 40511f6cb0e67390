//! Images: pulling, changing, exporting and publishing them.

use api::Value;

use crate::answer::{Wrong, holds, same, text};
use crate::arg::Arg as _;
use crate::behaviour::{Behaviour, behaviours};
use crate::case::Case;
use crate::handle::Handle;
use crate::images::{Registry, layers_tree, push_file};
use crate::session::SessionOptions;

/// A script that prints a line for each path below `/m`, as [`layers_tree`] has them.
const LIST: &str = "cd /m; find . -mindepth 1 | sort | while read -r p; do case $(stat -c %F \"$p\") in \
    dir*) k=d;; sym*) k=l;; *) k=f;; esac; echo \"$k $(stat -c '%a %u:%g' \"$p\") ${p#./}\"; done";

/// Calls `effects.publish` and returns the reference.
async fn publish(s: &Case<'_>, image: &Handle, address: &str) -> Result<String, Wrong> {
    let none = || Value::Option(None);
    Ok(text(&s.effect("publish", vec![image.object()?, address.value(), none(), none()]).await?))
}

/// Returns the whole configuration of a container as text.
async fn described(image: &Handle) -> Result<String, Wrong> {
    let mut all = Vec::new();
    for answer in [
        image.entrypoint(),
        image.default_args(),
        image.env_variables(),
        image.user(),
        image.workdir(),
        image.labels(),
        image.exposed_ports(),
        image.platform(),
    ] {
        all.push(answer.text().await?);
    }
    Ok(all.join("; "))
}

pub(super) const ALL: &[Behaviour] = behaviours![
    ("image: the root file system can be read", [Images], async |s| {
        s.image("busybox:1").rootfs().entries().is("bin/ dev/ etc/ home/ proc/ root/ sys/ tmp/ usr/ var/").await?;
        s.image("busybox:1")
            .file("/etc/group")
            .contents()
            .is("root:x:0:\nstaff:x:50:app\napp:x:1000:\nnogroup:x:65534:\n")
            .await
    }),
    ("image: a command can run in an image", [Images], async |s| {
        s.image("busybox:1").sh("echo run; stat -c %a /tmp /root").stdout().is("run\n1777\n700\n").await
    }),
    ("image: commands have the user, working directory and variables of the image", [Images, Owners], async |s| {
        s.image("busybox:rich")
            .sh("id -un; pwd; echo $A $B; touch own && echo mine")
            .stdout()
            .is("app\n/home/app\n1 two words\nmine\n")
            .await
    }),
    // Dagger does the same.
    ("image: an image replaces files, and earlier settings stay unless the image has its own", [Images], async |s| {
        let early = s.container().with_env_variable("X", "1").with_env_variable("A", "mine").with_label("mine", "m");
        let early = early.with_workdir("/early").with_user("nobody").with_entrypoint(&["early"]);
        let early = early.with_new_file("/early.txt", "e").with_exposed_port(1234, crate::arg::Case("tcp"));
        let from = early.from_image(&s.address("busybox:rich"));
        from.entrypoint().is("echo ep").await?;
        from.default_args().is("default args").await?;
        from.workdir().is("/home/app").await?;
        from.user().is("app").await?;
        from.env_variables().is("X=1 A=1 PATH=/bin B=two words").await?;
        from.labels().is("l1=v1 l2=v2 mine=m").await?;
        from.exposed_ports().is("1234:tcp 8080:tcp 9090:udp").await?;
        from.exists("/early.txt").is("false").await
    }),
    // Dagger does the same.
    ("image: mounts stay when the image is replaced", [Images], async |s| {
        let base = s.image("busybox:1").with_mounted_directory("/m", &s.tree(&[("f", "x")]));
        let base = base.from_image(&s.address("busybox:1"));
        base.mounts().is("/m").await?;
        base.sh("cat /m/f").stdout().is("x").await
    }),
    ("image: the configuration of an image can be changed", [Images], async |s| {
        let rich = s.image("busybox:rich");
        rich.with_entrypoint(&["x"]).default_args().is("").await?;
        rich.with_default_args(&["z"]).entrypoint().is("echo ep").await?;
        rich.with_label("l1", "new").with_label("a", "2").labels().is("a=2 l1=new l2=v2").await?;
        rich.without_label("l1").labels().is("l2=v2").await?;
        rich.without_env_variable("A").env_variables().is("PATH=/bin B=two words").await?;
        rich.without_user().user().is("").await?;
        rich.with_workdir("sub").workdir().is("/home/app/sub").await
    }),
    ("image: the entrypoint and the default arguments of an image run on request", [Images, Owners], async |s| {
        let rich = s.image("busybox:rich");
        rich.with_exec_options(&[], &s.exec_options().use_entrypoint()).stdout().is("ep default args\n").await
    }),
    // Dagger answers the same.
    ("image: the reference of an image has a digest, and leads to the same image", [Images], async |s| {
        let reference = s.image("busybox:1").image_ref().text().await?;
        let name = s.address("busybox:1");
        let digest = reference.strip_prefix(&format!("{name}@sha256:")).map(str::len);
        holds(digest == Some(64), || reference.clone())?;
        let again = s.container().from_image(&reference);
        again.rootfs().digest().is(&s.image("busybox:1").rootfs().digest().text().await?).await
    }),
    // Dagger fails, too: the digest would name another image.
    ("image: a changed image has no reference", [Images], async |s| {
        let changed = s.image("busybox:1").with_new_file("/f", "");
        changed.image_ref().fails("invalid-argument", "no reference").await
    }),
    ("image: the registry is not asked before a value is", [Images], async |s| {
        let lazy = s.container().from_image("127.0.0.1:1/nothing:1").with_workdir("x").sh("true");
        lazy.rootfs().name().is("/").await?;
        lazy.sync().fails("environment", "127.0.0.1:1").await
    }),
    ("image: layers remove, replace and link files of the layers below", [Images, Owners], async |s| {
        for tag in ["docker", "oci", "zstd"] {
            let layers = s.image(&format!("layers:{tag}")).rootfs();
            let seen = s.base().with_mounted_directory_options("/m", &layers, &s.mount_options().read_only()).sh(LIST);
            let sorted = |text: &str| {
                let mut lines: Vec<&str> = text.lines().collect();
                lines.sort_by_key(|line| line.splitn(4, ' ').nth(3));
                lines.join("\n")
            };
            same(&sorted(&seen.stdout().text().await?), &sorted(layers_tree()))?;
        }
        Ok(())
    }),
    ("image: a file is that of the highest layer that has it", [Images], async |s| {
        let layers = s.image("layers:docker");
        layers.file("/directory/owned").contents().is("new\n").await?;
        layers.file("/hard-b").contents().is("linked\n").await?;
        layers.file("/symlink").contents().is("kept\n").await?;
        layers.exists("/gone").is("false").await?;
        layers.directory("/opaque").entries().is("new").await?;
        layers.directory("/removed-again").entries().is("new").await
    }),
    ("image: Docker's and OCI's formats, and gzip and zstd, give the same tree", [Images], async |s| {
        let digest = s.image("layers:docker").rootfs().digest().text().await?;
        s.image("layers:oci").rootfs().digest().is(&digest).await?;
        s.image("layers:zstd").rootfs().digest().is(&digest).await?;
        same(&described(&s.image("busybox:oci")).await?, &described(&s.image("busybox:rich")).await?)
    }),
    ("image: the requested platform is chosen among several", [Images], async |s| {
        let own = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
        s.image("multi:1").file("/arch").contents().is(own).await?;
        for architecture in ["amd64", "arm64"] {
            let platform = format!("linux/{architecture}");
            let other = s.container().with_platform(&platform).from_image(&s.address("multi:1"));
            other.file("/arch").contents().is(architecture).await?;
            other.env_variable("ARCH").is(architecture).await?;
            other.platform().is(&platform).await?;
        }
        Ok(())
    }),
    ("image: a tag means one image within a session, and is looked up again in the next", [Images], async |s| {
        let address = s.address("");
        let registry = Registry::at(address.trim_end_matches('/'));
        let name = format!("moved-{}", s.unique());
        let push = |contents: &str| {
            push_file(&registry, &name, "1", "f", contents).map_err(|error| Wrong::new(error.to_string()))
        };
        let read = |s: &Case<'_>| s.image(&format!("{name}:1")).file("/f").contents();
        push("old")?;
        read(s).is("old").await?;
        push("new")?;
        read(s).is("old").await?;
        let s = s.again(&SessionOptions::default()).await?;
        read(&s).is("new").await
    }),
    ("image: another session uses the results of a command in an image", [Images], async |s| {
        let run = |s: &Case<'_>| s.image("busybox:1").sh("echo again; : image-reuse");
        run(s).sync().is("").await?;
        let s = s.again(&SessionOptions::default()).await?;
        run(&s).stdout().is("again\n").await?;
        holds(s.session.ran().is_empty(), || format!("{:?}", s.session.ran()))
    }),
    // Source: OCI image-spec 1.1, `layer.md`, "Whiteouts".
    ("image: files that a layer removed are not copied", [Images], async |s| {
        let copied = s.directory().with_directory("x", &s.image("layers:oci").directory("/opaque"));
        copied.glob("**").is("x/ x/new").await?;
        s.directory().with_file("g", &s.image("layers:oci").file("/gone")).entries().fails("not-found", "gone").await
    }),
    ("tarball: an image that is exported and imported again is the same", [Images], async |s| {
        let built = s.image("busybox:rich").without_user().sh("echo made > /made; rm /etc/group").with_user("app");
        let built = built.with_label("added", "yes").with_env_variable("B", "three");
        let imported = s.container().import_image(&built.as_tarball(), None);
        same(&described(&imported).await?, &described(&built).await?)?;
        imported.rootfs().digest().is(&built.rootfs().digest().text().await?).await
    }),
    ("tarball: an archive has the files that OCI and `docker load` read", [Images], async |s| {
        let tarball = s.image("busybox:1").with_new_file("/f", "x").as_tarball();
        tarball.name().is("image.tar").await?;
        let listed = s.base().with_mounted_file("/image.tar", &tarball);
        let script =
            "tar -tf /image.tar | grep -xE '(./)?(oci-layout|index.json|manifest.json)' | sed 's,^./,,' | sort";
        listed.sh(script).stdout().is("index.json\nmanifest.json\noci-layout\n").await
    }),
    ("tarball: an archive has Docker's media types on request", [Images], async |s| {
        let image = s.image("busybox:1").with_new_file("/f", "x");
        let listed = s.base().with_mounted_file("/image.tar", &image.as_docker_tarball());
        let script = "cd /tmp; tar -xf /image.tar; cat index.json blobs/sha256/* | grep -c vnd.oci.image.[mcl] || true; \
                      cat blobs/sha256/* | grep -c vnd.docker.distribution.manifest.v2";
        // The index is one of the OCI, as in what `docker save` writes.
        listed.sh(script).stdout().is("0\n1\n").await?;
        let imported = s.container().import_image(&image.as_docker_tarball(), None);
        imported.file("/f").contents().is("x").await
    }),
    // Dagger does the same. Times of files count for commands alone.
    ("tarball: the same container gives the same bytes", [Images], async |s| {
        let pack =
            |s: &Case<'_>| s.image("busybox:1").with_new_file("/f", "x").sh("echo y > /g").as_tarball().digest().text();
        let first = pack(s).await?;
        let s = s.again(&SessionOptions { is_cache_used: false, ..SessionOptions::default() }).await?;
        same(&pack(&s).await?, &first)
    }),
    ("tarball: a container without an image can be exported", [Images], async |s| {
        let built = s.container().with_new_file("/d/f", "x").with_default_args(&["run"]);
        let imported = s.container().import_image(&built.as_tarball(), None);
        imported.file("/d/f").contents().is("x").await?;
        imported.default_args().is("run").await
    }),
    // Docker does the same: an image has no mounts.
    ("tarball: mounts are not in the archive", [Images], async |s| {
        let built = s.image("busybox:1").with_mounted_directory("/m", &s.tree(&[("f", "x")]));
        let built =
            built.with_mounted_secret("/s", &s.secret("tarball-secret", "never-to-be-packed")).sh("ls /m /s > /listed");
        let imported = s.container().import_image(&built.as_tarball(), None);
        imported.exists("/listed").is("true").await?;
        imported.exists("/m").is("false").await?;
        imported.exists("/s").is("false").await
    }),
    // Dagger fails, too.
    ("tarball: importing a file that is not an image is an error", [Images], async |s| {
        let garbage = s.file("image.tar", "this is no image");
        s.container().import_image(&garbage, None).rootfs().entries().fails("invalid-argument", "").await
    }),
    ("tarball: importing an archive without an image is an error", [Images], async |s| {
        let archive = s.base().sh("echo x > /f; tar -cf /f.tar /f").file("/f.tar");
        s.container().import_image(&archive, None).rootfs().entries().fails("invalid-argument", "").await
    }),
    ("tarball: importing a missing file is an error that names it", [Images], async |s| {
        s.container().import_image(&s.directory().file("nope.tar"), None).user().fails("not-found", "nope.tar").await
    }),
    ("tarball: an archive can be written to this machine", [Images], async |s| {
        let image = s.image("busybox:1").with_new_file("/x", "X");
        s.effect("export-container", vec![image.object()?, "img.tar".value()]).await?;
        let bytes =
            std::fs::read(s.session.exports().join("img.tar")).map_err(|error| Wrong::new(error.to_string()))?;
        holds(bytes.get(257..262) == Some(b"ustar"), || "it is no archive".to_owned())
    }),
    // Dagger does the same, and returns the address with the digest.
    ("publish: a published image is the same when it is pulled", [Images], async |s| {
        let built = s.image("busybox:rich").without_user().sh("echo made > /made").with_label("added", "yes");
        let address = s.address(&format!("published-{}:1", s.unique()));
        let reference = publish(s, &built, &address).await?;
        holds(reference.starts_with(&format!("{address}@sha256:")), || reference.clone())?;
        let pulled = s.container().from_image(&reference);
        same(&described(&pulled).await?, &described(&built).await?)?;
        pulled.rootfs().digest().is(&built.rootfs().digest().text().await?).await
    }),
    ("publish: publishing again gives the same digest", [Images], async |s| {
        let built = s.image("busybox:1").with_new_file("/f", "x");
        let address = s.address(&format!("twice-{}:1", s.unique()));
        let first = publish(s, &built, &address).await?;
        same(&publish(s, &built, &address).await?, &first)
    }),
    ("publish: an image with a failing command is not published", [Images], async |s| {
        let address = s.address(&format!("never-{}:1", s.unique()));
        let failed = publish(s, &s.image("busybox:1").sh("exit 7"), &address).await;
        same(failed.err().and_then(|wrong| wrong.code).as_deref().unwrap_or("none"), "exec")?;
        s.container().from_image(&address).user().fails("not-found", "").await
    }),
    // Dagger fails, too.
    ("bad image: an unknown image is an error that names it", [Images], async |s| {
        s.image("nope:1").rootfs().entries().fails("not-found", "nope").await?;
        s.image("busybox:no-such-tag").rootfs().entries().fails("not-found", "no-such-tag").await
    }),
    ("bad image: an unknown digest is an error", [Images], async |s| {
        let name = format!("busybox@sha256:{}", "0".repeat(64));
        s.image(&name).rootfs().entries().fails("not-found", "0000").await
    }),
    // Dagger fails, too.
    ("bad image: a malformed name is an error that names it", [Images], async |s| {
        s.container().from_image("UPPER CASE//bad").user().fails("invalid-argument", "UPPER CASE//bad").await?;
        s.container().from_image("").user().fails("invalid-argument", "").await?;
        s.image("busybox@sha256:short").user().fails("invalid-argument", "short").await
    }),
    ("bad image: a registry that does not answer is an error that names it", [Images], async |s| {
        s.container().from_image("127.0.0.1:1/busybox:1").user().fails("environment", "127.0.0.1:1").await
    }),
    ("bad image: an image for other platforms only is an error that names the platform", [Images], async |s| {
        s.image("foreign:1").rootfs().entries().fails("not-found", "s390x").await?;
        let other = s.container().with_platform("linux/riscv64").from_image(&s.address("multi:1"));
        other.rootfs().entries().fails("not-found", "riscv64").await
    }),
    ("bad image: a layer that is not an archive is an error", [Images], async |s| {
        s.image("broken:layer").rootfs().entries().fails("invalid-argument", "").await
    }),
    ("bad image: a layer that differs from the configuration is an error", [Images, CheckedLayers], async |s| {
        let entries = s.image("broken:diff-id").rootfs().entries();
        entries.fails("invalid-argument", "sha256:").await
    }),
    ("bad image: a malformed configuration is an error", [Images], async |s| {
        s.image("broken:config").user().fails("invalid-argument", "").await
    }),
    ("bad image: a path in a layer cannot leave the root", [Images], async |s| {
        match s.image("broken:escape").rootfs().glob("**").value().await {
            Ok(paths) => same(&text(&paths), "escaped"),
            Err(failure) => same(failure.code(), "invalid-argument"),
        }
    }),
    ("bad image: a broken image does not affect another one", [Images, CheckedLayers], async |s| {
        let (bad, good) = (s.image("broken:layer").sync(), s.image("busybox:1").sh("echo good").stdout());
        let (bad, good) = tokio::join!(bad.value(), good.is("good\n"));
        holds(bad.is_err(), || "the broken one was taken".to_owned())?;
        good
    }),
];
