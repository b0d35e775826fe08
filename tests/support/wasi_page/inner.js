// Runs program.py in CPython for WASI: lines that it prints go to the worker outside, and its input waits for lines.
import { ConsoleStdout, Directory, Fd, File, PreopenDirectory, WASI, wasi } from "./shim/index.js";

class Lines extends Fd {
  constructor(shared) {
    super();
    this.flags = new Int32Array(shared, 0, 2);
    this.bytes = new Uint8Array(shared, 8);
    this.rest = new Uint8Array(0);
  }
  fd_fdstat_get() {
    const fdstat = new wasi.Fdstat(wasi.FILETYPE_CHARACTER_DEVICE, 0);
    fdstat.fs_rights_base = BigInt(wasi.RIGHTS_FD_READ);
    return { ret: 0, fdstat };
  }
  fd_filestat_get() {
    return { ret: 0, filestat: new wasi.Filestat(0n, wasi.FILETYPE_CHARACTER_DEVICE, 0n) };
  }
  fd_read(size) {
    if (!this.rest.length) {
      Atomics.wait(this.flags, 0, 0);
      this.rest = this.bytes.slice(0, this.flags[1]);
      Atomics.store(this.flags, 0, 0);
    }
    const data = this.rest.slice(0, size);
    this.rest = this.rest.slice(size);
    return { ret: 0, data };
  }
}

function folderOf(files) {
  const root = new Map();
  for (const [path, data] of files) {
    const parts = path.split("/");
    let place = root;
    for (const part of parts.slice(0, -1)) {
      if (!place.has(part)) place.set(part, new Directory(new Map()));
      place = place.get(part).contents;
    }
    place.set(parts.at(-1), new File(data, { readonly: true }));
  }
  return root;
}

const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());

self.onmessage = async ({ data: { shared, spec } }) => {
  try {
    const { zip, index } = await (await fetch("modules.json")).json(), modules = await bytes("modules.bin");
    const files = index.map(([path, at, size]) => [path, modules.subarray(at, at + size)]);
    files.push(["program.py", await bytes("program.py")], ["spec.yaml", await bytes(spec)]);
    const library = new Map([[zip, new File(await bytes("python-stdlib.zip"), { readonly: true })]]);
    const python = new WASI(
      ["/usr/local/bin/python.wasm", "-c", "import sys; sys.path.append('/modules'); import program", spec],
      ["TMPDIR=/tmp", "HOME=/tmp", "PYTHONTZPATH="],
      [
        new Lines(shared),
        ConsoleStdout.lineBuffered((line) => self.postMessage({ line })),
        ConsoleStdout.lineBuffered((complaint) => self.postMessage({ complaint })),
        new PreopenDirectory("/usr/local/lib", library),
        new PreopenDirectory("/modules", folderOf(files)),
        new PreopenDirectory("/tmp", new Map()),
      ],
    );
    const imports = { wasi_snapshot_preview1: python.wasiImport, host: { call: () => -1 } };
    const { instance } = await WebAssembly.instantiateStreaming(fetch("python.wasm"), imports);
    python.initialize(instance);
    self.postMessage({ ended: `Python has ended: ${instance.exports.run()}` });
  } catch (error) {
    self.postMessage({ ended: String(error.stack ?? error) });
  }
};
