//! Stages that use powers: one power each, so that each can be refused.

use guest_sdk::prelude::*;

/// Uses every power.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// `machine`: returns the output of a tool of this machine.
    pub fn echo(text: &str) -> Result<String> {
        machine::rootfs().with_exec(["echo", text]).stdout()
    }

    /// `machine`: returns the entries of `/usr`, which is read-only.
    pub fn usr() -> Result<Vec<String>> {
        machine::rootfs().directory("/usr").entries()
    }

    /// `machine`: returns the exit code of a command that tries to change the machine.
    pub fn vandalise() -> Result<i32> {
        machine::rootfs()
            .with_exec_options(["sh", "-c", "echo broken > /usr/bin/broken"], ExecOptions::new().any_code())
            .exit_code()
    }

    /// `sources`: returns the entries of a repository.
    pub fn git(url: &str, reference: &str) -> Result<Vec<String>> {
        sources::git(url, reference).entries()
    }

    /// `sources`: returns the contents behind a URL.
    pub fn http(url: &str, sha256: Option<&str>) -> Result<String> {
        match sha256 {
            Some(sha256) => sources::http_sha256(url, sha256).contents(),
            None => sources::http(url).contents(),
        }
    }

    /// `effects`: writes a directory.
    pub fn export_directory(tree: &Directory, path: &str) -> Result<String> {
        effects::export_directory(tree, path)
    }

    /// `effects`: writes a file.
    pub fn export_file(contents: &str, path: &str) -> Result<String> {
        effects::export_file(File::new("exported", contents), path)
    }

    /// `effects` and `machine`: writes a file, and then runs a script.
    pub fn deploy(path: &str, script: &str) -> Result<()> {
        effects::export_file(File::new("deployed", "new"), path)?;
        machine::rootfs().with_exec(["sh", "-c", script]).sync()?;
        Ok(())
    }

    /// `machine`: runs a script.
    pub fn verify(script: &str) -> Result<()> {
        machine::rootfs().with_exec(["sh", "-c", script]).sync()?;
        Ok(())
    }

    /// `effects`: writes an image.
    pub fn export_container(image: &Container, path: &str) -> Result<String> {
        effects::export_container(image, path)
    }

    /// `effects`: pushes an image of one file.
    pub fn publish(contents: &str, address: &str, username: Option<&str>, password: Option<&Secret>) -> Result<String> {
        let image = Container::new().with_new_file("/contents", contents);
        match (username, password) {
            (Some(username), Some(password)) => effects::publish_as(image, address, username, password),
            (None, None) => effects::publish(image, address),
            _ => bail!("a user name and a password belong together"),
        }
    }

    /// `effects`: pushes an image, and then another one under the same name. Returns what the name
    /// means in this run.
    pub fn publish_twice(address: &str) -> Result<String> {
        let push = |contents| effects::publish(Container::new().with_new_file("/contents", contents), address);
        let image = || Container::new().from_image(address);
        let first = push("first")?;
        ensure!(image().image_ref()? == first, "the name is not what was pushed");
        let second = push("second")?;
        ensure!(first != second, "two images are one");
        ensure!(image().image_ref()? == first, "the name has changed its meaning");
        image().file("/contents").contents()
    }

    /// `effects`: pushes the result of a command that saw a secret.
    pub fn publish_after_secret(root: &Container, secret: &Secret, address: &str) -> Result<String> {
        let built = root.with_secret_variable("TOKEN", secret).with_mounted_secret("/run/token", secret).with_exec([
            "sh",
            "-c",
            "echo $TOKEN; cat /run/token; echo kept-by-the-step > /kept",
        ]);
        effects::publish(built, address)
    }

    /// `effects`: loads an image with one file into the local Docker.
    pub fn load(contents: &str, name: &str) -> Result<String> {
        effects::load(Container::new().with_new_file("/contents", contents), name)
    }

    /// `secret-access`: returns the length of a secret.
    pub fn secret_length(secret: &Secret) -> Result<u32> {
        Ok(secret_access::plaintext(secret)?.len().try_into()?)
    }

    /// `secret-access`: returns the entries of a directory that nothing has read before the secret.
    pub fn list_after_secret(secret: &Secret, src: &Directory) -> Result<Vec<String>> {
        secret_access::plaintext(secret)?;
        src.glob("**")
    }

    /// `secret-access`: returns a secret, and logs it.
    pub fn reveal(secret: &Secret) -> Result<String> {
        let value = secret_access::plaintext(secret)?;
        log::info!("the secret is {value}");
        eprintln!("the secret is {value}");
        Ok(value)
    }

    /// No power: returns a text.
    pub fn harmless() -> String {
        "harmless".to_owned()
    }
}
