"""The stages of this module; `host functions` lists them."""

from host_sdk import Directory, machine, stages


@stages
class Stages:
    """Greets people and counts lines."""

    def hello(self, name: str = "world") -> str:
        """Returns a greeting.

        Args:
            name: The person to greet.
        """
        return f"Hello, {name}!"

    def build(self, src: Directory) -> Directory:
        """Counts the lines of each file with `wc`, and returns a directory with the result.

        Args:
            src: The directory with the files.
        """
        counted = (
            machine.rootfs()
            .with_directory("/src", src)
            .with_workdir("/src")
            .with_exec(["sh", "-c", "mkdir -p /out && find . -type f -exec wc -l {} + > /out/lines.txt"])
        )
        return counted.directory("/out")
