// The stages of this module; `host functions` lists them.

import { machine, stages } from "host-sdk";

/** @import { Directory } from "host-sdk" */

/** Greets people and counts lines. */
export default stages({
  /**
   * Returns a greeting.
   *
   * @param name The person to greet.
   * @returns {string}
   */
  hello(name = "world") {
    return `Hello, ${name}!`;
  },

  /**
   * Counts the lines of each file with `wc`, and returns a directory with the result.
   *
   * @param {Directory} src The directory with the files.
   * @returns {Directory}
   */
  build(src) {
    const counted = machine
      .rootfs()
      .withDirectory("/src", src)
      .withWorkdir("/src")
      .withExec(["sh", "-c", "mkdir -p /out && find . -type f -exec wc -l {} + > /out/lines.txt"]);
    return counted.directory("/out");
  },
});
